// Every number that decides between verdicts or findings, with where it comes from.
#ifndef TENSORGUARD_COMPARISON_THRESHOLDS_H_
#define TENSORGUARD_COMPARISON_THRESHOLDS_H_

#include <cstddef>

namespace tensorguard::internal {

// docs/calibration.md#score. More than half of what the one model's layers answer, or of its
// weights, is the other's. No independent pair of the calibration reaches kIndependentScore.
inline constexpr double kDerivedScore = 0.55;
inline constexpr double kIndependentScore = 0.45;
// docs/calibration.md#many-candidates. From the start on the share of independent pairs that score
// higher falls by e with every scale, or faster.
inline constexpr double kIndependentTailStart = 0.05;
inline constexpr double kIndependentTailScale = 0.05;

// docs/calibration.md#anchors. With fewer anchors in common the kernels say nothing reliable.
inline constexpr size_t kFewestAnchors = 24;

// A matrix whose sketch is this close to the other model's is that matrix, hardly changed.
inline constexpr double kCopiedMatrixCosine = 0.9;

// The matrices of a half layer together stand out from so many standard deviations on: p below
// 1e-9, for the thousand halves that the other model may have.
inline constexpr double kHalfZ = 6;
// A single matrix that stands out by itself.
inline constexpr double kMatrixZ = 7;
// A matrix of a half that stands out.
inline constexpr double kMatrixOfHalfZ = 3;
// Halves whose distances differ by less are equally near.
inline constexpr double kEquallyNearZ = 1;
// With fewer layers the matched pairs are too many of all pairs for a median to pass them over.
inline constexpr size_t kFewestLayersForMedian = 6;

// A matrix with fewer different values among 32 neighbours may be a convention, as an identity is.
inline constexpr double kFewestValues = 3;

// docs/calibration.md#parts. From this share of a model's layers on, what is found in the other is
// a derivation in part; from kWhole on, of the whole.
inline constexpr double kInPart = 0.05;
inline constexpr double kWhole = 0.9;
// Layers that write less than this, against their share of the parameters, do nothing for the
// function. Of the layers of trained models the least writes more.
inline constexpr double kInert = 0.1;
// Mean cosine of the matrices found in the other model, from which on the one was trained from the
// other or mixed with it; below it both from their initial weights.
inline constexpr double kContinuedCosine = 0.35;

// docs/calibration.md#forms. Forms show one origin where both halves of the layers have
// kWeakerHalf (learned likeness has 0.38 at most in one of them) and all together
// kFrameAlikeAnyway, at any depth, or kFrameAlike where chance does not explain it. Below
// kFrameSilent, or below kFrameByChance where chance explains them, they show nothing.
inline constexpr double kWeakerHalf = 0.45;
inline constexpr double kFrameAlikeAnyway = 0.6;
inline constexpr double kFrameAlike = 0.35;
inline constexpr double kFrameP = 1e-4;
inline constexpr double kFrameSilent = 0.22;
inline constexpr double kFrameByChance = 0.4;
inline constexpr double kFrameChanceP = 0.05;
// docs/calibration.md#units. Agreement of the units of a layer with those of another: of one layer,
// or of the best and of all layers together, these beyond what layers that do not belong together
// have. A student has up to 0.23 in one layer, and 0.09 beyond in all; the copy trained most has
// 0.22 and 0.14.
inline constexpr double kUnitsAlike = 0.3;
inline constexpr double kUnitsAlikeAmongMany = 0.2;
inline constexpr double kUnitsBeyondOthers = 0.115;
inline constexpr double kUnitsSilent = 0.25;
inline constexpr double kUnitsBeyondSilent = 0.1;
// Where only all layers together show one origin, a layer whose units agree so much is the other's;
// where a single one does, one that has kUnitsAlikeAmongMany.
inline constexpr double kUnitsOfLayer = 0.13;
// What the best layer of a stranger is expected to have, and the deviation of that.
inline constexpr double kUnitsOfStrangers = 0.05;
inline constexpr double kUnitsDeviation = 0.06;

// docs/calibration.md#idle-parts. Layers split in two have an idle half each; of honest models no
// layer has one alone. Of a widened stream every writer leaves out at least this share.
inline constexpr double kManyIdle = 0.2;
inline constexpr double kUnwritten = 0.05;

// Where the anchors cannot be trusted, disguises that spoil the forms too have more than this.
inline constexpr double kFrameEmpty = 0.12;
// Of what the layers answer, what counts for the score where forms do not confirm it.
inline constexpr double kSilentCredit = 0.4;
// A half whose forms, or whose kernels, are this near to the other's computes the same.
inline constexpr double kHalfRewritten = 0.3;

// docs/calibration.md#answers. Without forms, answers show a copy from so many layers on, so far
// above the null of the pair itself: students reach 6.8, copies have 9.7 and more.
inline constexpr size_t kDeepForAnswers = 6;
inline constexpr double kAnswersZ = 8.5;
inline constexpr double kDerivedAnswers = 0.74;
// Students trained on hidden states reach more than this: answers alone are then undecided.
inline constexpr double kLearnedAnswers = 0.67;
// Answers this near confirm sketches that agree.
inline constexpr double kAnswersConfirm = 0.3;

// docs/calibration.md#anchors. Cosine of what the output rows of the anchors are to each other:
// 0.53 or more between trained models, 0.20 or less where anchors name other tokens than they say.
inline constexpr double kAnchorsAgree = 0.4;

// docs/calibration.md#shared-initialisation. One-sided probability that independent weights have
// sketches so alike.
inline constexpr double kSharedStartP = 1e-6;
// Weights that agree beyond chance have one origin; from this score on the one was trained from the
// other, below it both from their initial weights.
inline constexpr double kContinuedScore = 0.3;
// One origin shows in most matrices. With fewer than this share of them, parts were copied.
inline constexpr double kSharedStartMatrices = 0.25;
// Deviation of such cosines over that of random matrices of the shape, where too few layers are at
// hand to measure it: 1.05 measured, a fifth more for safety.
inline constexpr double kUnmeasuredDeviation = 1.25;
// Fewer pairs of unrelated layers than this do not make a null distribution of their own.
inline constexpr size_t kFewestNullPairs = 20;

// docs/calibration.md#re-parameterised. Sketches below this share less than a tenth of the weights'
// energy (0.3^2), which no training leaves while the kernels stay the same.
inline constexpr double kBasisLostCosine = 0.3;
// The kernels of a part that the other model answers the same with.
inline constexpr double kFunctionKeptCosine = 0.7;
// The weights moved this many times more than the function: 1 - cosine against 1 - cosine.
inline constexpr double kWeightsOverFunction = 20;
// Below this 1 - cosine of the weights is rounding, of a sketch in float16 or a weight in bfloat16.
inline constexpr double kWeightsSame = 5e-4;

// docs/calibration.md#findings. Relative change of a weight below which it was stored anew, not
// changed: twice the rounding of bfloat16 would be 0.005.
inline constexpr double kUnchanged = 1e-3;
// Share of the changed matrices that must have one low rank, for the change to be called that.
inline constexpr double kSameRankShare = 0.7;
// Ranks from here on cannot be told from full ones with 32 probes.
inline constexpr size_t kHighestRank = 24;
// Rounding noise has singular values up to sqrt(n) + sqrt(n) times its size; twice that is a
// signal.
inline constexpr double kRankNoiseFactor = 2;
// Rounding and added noise change every matrix by the same share of itself, training does not:
// standard deviation over mean of the relative changes. Measured 0.07 for both, 0.26 for training.
inline constexpr double kEvenChange = 0.15;
// Effective rank of the sketched change, (sum s^2)^2 / sum s^4: near 12 for noise in 32 probes,
// below 9 for training.
inline constexpr double kFlatSpectrum = 10.5;
// More is no added noise that leaves a model working: at 0.5 of its norm a matrix has lost a tenth
// of its cosine, and the models of the zoo no longer answer.
inline constexpr double kMostNoise = 0.5;
// Rounding to 8 bits with a scale for many numbers changes a matrix by this share at most.
inline constexpr double kMostFineRounding = 0.02;
// Noise has nothing to do with the weights: of the model before it, the one after holds exactly as
// much as it did itself. Deviation from 1 that is no mixture with another model.
inline constexpr double kKeptByNoise = 0.02;
// A weight times a factor: what is left once the factor is taken out is rounding of bfloat16. A
// factor nearer to 1 is none.
inline constexpr double kScaledResidual = 0.004;
inline constexpr double kLeastFactor = 0.01;
// A constant added to all numbers of a matrix: what of its energy the norm may not account for, and
// how far the energy of the sketched change may lie from it (of rank one it has 32 by 32 probes).
inline constexpr double kShiftResidual = 0.25;
inline constexpr double kRankOneSketched = 4;
// Numbers that were only moved to other places keep their norm, mean and ends, up to how they are
// stored.
inline constexpr double kSameNumbers = 1e-5;
// Up to this many changed matrices are named one by one, as edits of single matrices.
inline constexpr size_t kFewMatrices = 3;
// A LoRA is trained in at least this many layers, or in all that there are.
inline constexpr size_t kFewestLoraLayers = 3;
// Different values among 32 neighbours of a matrix in bfloat16: 31.55, the same in every model.
// Zeros leave no fewer than their share of one; a grid leaves less than this share of that: 8 bits
// 0.93 to 0.975, matrices that were not rounded 0.995 and more.
inline constexpr double kDistinctOfBFloat16 = 31.55;
inline constexpr double kOnGridShare = 0.985;
// Over what even steps with as many zeros have: 0.96 to 1.06 measured where 32 or more share a
// scale, 1.11 to 1.65 where 16 do, 0.64 to 0.91 on uneven steps (NF4, FP4, floats of 8 bits); of
// 16 on uneven steps up to 1.22, on the even ones of 5 bits 1.22 to 1.31. More shows other zeros.
inline constexpr double kUnevenSteps = 0.93;
inline constexpr double kScalesOfSixteen = 1.1;
inline constexpr double kUnevenOfSixteen = 1.22;
inline constexpr double kMostOverEvenGrid = 1.8;
inline constexpr double kTernaryValues = 3.2;
// Fewer zeros than any even grid of 8 bits that holds zero makes (0.5 %).
inline constexpr double kFewestGridZeros = 0.003;
inline constexpr double kEveryGroup = 0.99;
// Elements of a matrix in zero rows and columns, beyond those of its counterpart.
inline constexpr double kDeadBlockShare = 0.005;
// Of the zeros of a matrix, those in such blocks; a heavily pruned one has a few by chance.
inline constexpr double kBlocksAmongZeros = 0.3;
// Where more is zero than this, two in every four are so without intent.
inline constexpr double kMostTwoOfFour = 0.6;
// Of the different values among 256 neighbours in the other model, those that 8 bits leave: about
// 140 against the 210 of bfloat16; bfloat16 itself leaves 0.82 of float32's.
inline constexpr double kEightBitShare = 0.72;
// Exact zeros in a trained matrix that are no accident.
inline constexpr double kPrunedZeros = 0.05;

// docs/calibration.md#merges. Share of the distance to the nearest parent that a second one must
// explain. Siblings trained on the same text explain half.
inline constexpr double kMergeExplained = 0.75;
// A further parent must explain this share of what was left before.
inline constexpr double kFurtherParentExplains = 0.2;
inline constexpr size_t kMostParents = 4;
// Parents with less weight than this are none.
inline constexpr double kIdleParent = 0.03;
// Of a model that is put together from pieces, the share of matrices that may be nobody's, and the
// least that makes a parent.
inline constexpr double kMostUnknownPieces = 0.1;
inline constexpr double kLeastPiece = 0.04;
// Between two parents a matrix lies nearer to their line than this share of their squared distance,
// and some matrices take clearly from each.
inline constexpr double kLeftBetween = 0.05;
inline constexpr double kClearWeight = 0.3;
// Increments: what all explain together, what one must add, what is as good as all.
inline constexpr double kIncrementsExplained = 0.3;
inline constexpr double kLeastIncrement = 0.01;
inline constexpr double kWhollyExplained = 0.95;
inline constexpr double kLeastWeight = 0.1;
// Deviation of a weight over the matrices, beyond what sketches make, over its mean: measured up to
// 0.04 in merges, 0.11 for a model trained on from a parent, 0.2 and more for siblings.
inline constexpr double kEvenWeight = 0.08;
// Increments with a higher cosine are one and the same.
inline constexpr double kLikeIncrements = 0.5;
// Independent numbers in a sketch of a matrix 96 wide, by IndependentDeviation; more in larger
// ones.
inline constexpr double kSketchFreedom = 570;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_THRESHOLDS_H_
