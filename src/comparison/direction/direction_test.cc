#include "comparison/direction/direction.h"

#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

DirectionSign Sign(DirectionSignKind kind, Side later, double weight) {
  return {.kind = kind, .later = later, .weight = weight, .text = "A sign."};
}

TEST(Direction, WithoutSignsThereIsNone) {
  const Direction direction = DirectionOf({});
  EXPECT_FALSE(direction.later);
  EXPECT_FALSE(direction.leaning);
  EXPECT_EQ(DirectionName(direction), "undetermined");
}

TEST(Direction, AStepThatExplainsAllTellsIt) {
  const Direction direction = DirectionOf({Sign(DirectionSignKind::kOnGrid, Side::kA, 4.5)});
  EXPECT_EQ(direction.later, Side::kA);
  EXPECT_EQ(DirectionName(direction), "b_to_a");
  EXPECT_GT(direction.certainty, kDirectionTold);
}

TEST(Direction, NormsAloneNeverTellIt) {
  const Direction direction = DirectionOf({Sign(DirectionSignKind::kGrowth, Side::kB, 2),
                                           Sign(DirectionSignKind::kEvenChange, Side::kB, 2)});
  EXPECT_FALSE(direction.later);
  EXPECT_EQ(direction.leaning, Side::kB);
  EXPECT_LT(direction.certainty, kDirectionTold);
}

TEST(Direction, ManyWeakStepsDoNotTellIt) {
  const Direction direction = DirectionOf({Sign(DirectionSignKind::kRowsAdded, Side::kB, 1),
                                           Sign(DirectionSignKind::kLayersRepeated, Side::kB, 1),
                                           Sign(DirectionSignKind::kExpertsOfDense, Side::kB, 1),
                                           Sign(DirectionSignKind::kGrowth, Side::kB, 1.2)});
  EXPECT_FALSE(direction.later);
  EXPECT_LT(direction.certainty, kDirectionTold);
}

TEST(Direction, StepsOnBothSidesAreOfSiblings) {
  const Direction direction = DirectionOf({Sign(DirectionSignKind::kLowRank, Side::kB, 4.5),
                                           Sign(DirectionSignKind::kRowsTrimmed, Side::kA, 1)});
  EXPECT_FALSE(direction.later);
}

TEST(Direction, ALeaningOnTheOtherSideIsNoStep) {
  const Direction direction = DirectionOf({Sign(DirectionSignKind::kZeros, Side::kB, 4.5),
                                           Sign(DirectionSignKind::kGrowth, Side::kA, 1.2)});
  EXPECT_EQ(direction.later, Side::kB);
}

}  // namespace
}  // namespace tensorguard::internal
