#include "profile/frame/frame.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/try.h"
#include "profile/frame/candidate_axes.h"
#include "profile/frame/common_frame.h"
#include "profile/frame/frame_plan.h"
#include "profile/frame/part_forms.h"
#include "profile/frame/stream_projection.h"

namespace tensorguard::internal {
namespace {

// A weight of the plan from its first block to its last.
struct WeightTask {
  explicit WeightTask(const StreamWeight& of_weight)
      : of(of_weight), seen(BlockCount(*of_weight.weight)), blocks_left(seen.size()) {}

  const StreamWeight& of;
  size_t layer = 0;
  size_t part = 0;
  std::once_flag started;
  std::unique_ptr<StreamProjection> projection;
  std::vector<std::atomic<bool>> seen;  // by block
  std::atomic<uint64_t> blocks_left;
};

struct LayerTask {
  std::vector<PartForms> parts;
  std::unique_ptr<std::atomic<size_t>[]> weights_left;  // by part
  std::atomic<size_t> parts_left = 0;
};

class Observer : public FrameObserver {
 public:
  Observer(const Network& network, FramePlan plan, FloatMatrix directions, unsigned threads)
      : network_(network),
        plan_(std::move(plan)),
        directions_(std::move(directions)),
        threads_(threads),
        forms_(plan_.layers.size()),
        layers_(plan_.layers.size()),
        tasks_of_(network.weights().size()) {
    if (directions_.values().empty()) return;
    for (const StreamWeight& weight : plan_.weights) {
      tasks_.push_back(std::make_unique<WeightTask>(weight));
      tasks_of_[IndexOf(*weight.weight)].push_back(tasks_.back().get());
    }
    for (size_t layer = 0; layer < plan_.layers.size(); ++layer) Expect(layer);
  }

  Result<void> Observe(const Weight& weight, const WeightBlock& block) override {
    for (WeightTask* task : tasks_of_[IndexOf(weight)]) {
      if (task->seen[block.index].exchange(true)) continue;
      if (auto added = Add(*task, block); !added) return added;
    }
    return {};
  }

  Result<void> ReadRest() override {
    struct Reading {
      const Weight* weight;
      uint64_t first_block;
    };
    std::vector<Reading> readings;
    for (const auto& task : tasks_) {
      const uint64_t together = BlocksPerReading(*task->of.weight);
      for (uint64_t first = 0; first < task->seen.size(); first += together) {
        const auto begin = task->seen.begin() + static_cast<ptrdiff_t>(first);
        const auto end =
            begin + static_cast<ptrdiff_t>(std::min(together, task->seen.size() - first));
        if (std::find(begin, end, false) != end) readings.push_back({task->of.weight, first});
      }
    }
    return ParallelFor(readings.size(), threads_, [&](size_t i) {
      const Weight& weight = *readings[i].weight;
      return ReadBlocks(network_.source(), weight, readings[i].first_block,
                        [&](const WeightBlock& block) { return Observe(weight, block); });
    });
  }

  Result<FrameForms> Finish(const StreamRows& tokens) override {
    return FormsInCommonFrame(plan_, forms_, directions_, tokens);
  }

 private:
  size_t IndexOf(const Weight& weight) const {
    return static_cast<size_t>(&weight - network_.weights().data());
  }

  void Expect(size_t layer) {
    const auto& parts = plan_.layers[layer].parts;
    LayerTask& task = layers_[layer];
    task.parts.resize(parts.size());
    task.parts_left = parts.size();
    task.weights_left = std::make_unique<std::atomic<size_t>[]>(parts.size());
    for (size_t part = 0; part < parts.size(); ++part) {
      task.weights_left[part] = parts[part].weights.size();
      for (const size_t weight : parts[part].weights) {
        tasks_[weight]->layer = layer;
        tasks_[weight]->part = part;
      }
    }
  }

  Result<void> Add(WeightTask& task, const WeightBlock& block) {
    std::call_once(task.started, [&] {
      task.projection = std::make_unique<StreamProjection>(directions_, task.of);
    });
    if (auto added = task.projection->Add(block); !added) return added;
    if (task.blocks_left.fetch_sub(1) > 1) return {};
    LayerTask& layer = layers_[task.layer];
    if (layer.weights_left[task.part].fetch_sub(1) > 1) return {};
    return FinishPart(task.layer, task.part);
  }

  Result<void> FinishPart(size_t layer, size_t part) {
    UseOneLibraryThread();
    const FramePart& of = plan_.layers[layer].parts[part];
    std::vector<Projection> projections;
    for (const size_t weight : of.weights) {
      projections.push_back(tasks_[weight]->projection->Take());
      tasks_[weight]->projection.reset();
      if (auto fits = CheckNumbers(*plan_.weights[weight].weight, projections.back()); !fits) {
        return fits;
      }
    }
    LayerTask& task = layers_[layer];
    task.parts[part] = FormsOfPart(of, projections);
    if (task.parts_left.fetch_sub(1) > 1) return {};
    forms_[layer] = FormsOfLayer(plan_.layers[layer], std::move(task.parts));
    return {};
  }

  Result<void> CheckNumbers(const Weight& weight, const Projection& projection) const {
    constexpr float kLargest = 1e37f;
    const auto fits = [](float value) { return std::abs(value) <= kLargest; };
    if (std::ranges::all_of(projection.values(), fits)) return {};
    const TensorInfo& tensor = network_.source().tensors()[weight.tensor_index];
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "weights are too large to multiply",
                 .file = tensor.file,
                 .tensor = tensor.name,
                 .found = "products near the end of float32"};
  }

  const Network& network_;
  const FramePlan plan_;
  const FloatMatrix directions_;
  const unsigned threads_;
  std::vector<FormsOfOneLayer> forms_;
  std::vector<LayerTask> layers_;
  std::vector<std::unique_ptr<WeightTask>> tasks_;  // of FramePlan::weights
  std::vector<std::vector<WeightTask*>> tasks_of_;  // of Network::weights()
};

}  // namespace

Result<std::unique_ptr<FrameObserver>> FrameObserver::Prepare(const Network& network,
                                                              const FrameOptions& options) {
  TG_ASSIGN(auto plan, PlanFrame(network));
  TG_ASSIGN(auto directions, FindCandidateAxes(plan, kUnitDirections, options.threads));
  return std::unique_ptr<FrameObserver>(
      new Observer(network, std::move(plan), std::move(directions), options.threads));
}

Result<FrameForms> ComputeFrameForms(const Network& network, const FrameOptions& options) {
  TG_ASSIGN(auto observer, FrameObserver::Prepare(network, options));
  TG_TRY(observer->ReadRest());
  return observer->Finish();
}

}  // namespace tensorguard::internal
