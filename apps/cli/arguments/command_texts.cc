#include "cli/arguments/command_texts.h"

#include <map>

namespace tensorguard::internal::cli {

std::string_view ProgramSummary() {
  return "Tells from weights alone which model a language model comes from.";
}

const std::vector<Section>& SharedSections() {
  static const std::vector<Section> kSections = {
      {"Models",
       "A MODEL is a file with weights: safetensors, GGUF, PyTorch (.bin, .pt, .pth, .ckpt), NumPy "
       "(.npz) or ONNX; an index of shards, or the first part of a split GGUF model; a folder in "
       "the layout of Hugging Face with weights in any of these formats; a folder of the Hub's "
       "cache; or an adapter folder (PEFT, MLX) together with --base MODEL. Of several models in "
       "one file, or of the towers of a model, --part NAME takes the one whose tensors' names "
       "begin so. Each may also lie "
       "elsewhere: hf://ORG/NAME[@REVISION][/FILE] on the Hub, an https:// URL of a file or, with "
       "/ at its end, of a folder, or s3://BUCKET/KEY. What is needed of it is read from there; "
       "nothing is downloaded. Commands that need no weights also take a fingerprint "
       "(NAME.fingerprint.safetensors) or a features file (NAME_features.json). Where many models "
       "are asked for, a folder stands for the fingerprints in it or, without those, for every "
       "model in it."},
      {"Output",
       "Results go to standard output, messages to standard error. A progress bar is shown on a "
       "terminal only. With --json the result is one JSON object in one line."},
      {"Exit status",
       "0: done, whatever the answer. 1: the answer is one that --fail-on names. 2: an error; of "
       "several models, the others are still done."},
      {"Environment",
       "NO_COLOR: set to anything, the progress bar has no colour. HF_ENDPOINT, HF_TOKEN, HF_HOME, "
       "HF_HUB_CACHE, HF_HUB_OFFLINE: the Hub, as its own tools read them. AWS_REGION, "
       "AWS_ENDPOINT_URL: S3. https_proxy, no_proxy: as curl reads them. TENSORGUARD_REGISTRY: the "
       "registry, where none is named."},
  };
  return kSections;
}

const CommandText& TextOf(std::string_view command) {
  static const std::map<std::string_view, CommandText> kTexts = {
      {"inspect",
       {"show a model's architecture and tensors",
        "Shows what a model is made of: architecture, layers, parameters, the tokenizer, and what "
        "each tensor does. It shows how far each part is computed, what is missing, and which base "
        "the files beside it declare. Headers, configuration and vocabulary are read, and of the "
        "weights some numbers of each matrix.",
        {{"tensorguard inspect Llama-3.2-1B", "A summary, and how many tensors have which role."},
         {"tensorguard inspect --tensors model.safetensors", "Every tensor of one file."},
         {"tensorguard inspect my-lora --base Llama-3.2-1B", "An adapter, merged into its base."},
         {"tensorguard inspect a.fingerprint.safetensors",
          "What a fingerprint is of, and holds."}}}},
      {"fingerprint",
       {"write the fingerprint of each model",
        "Computes a model's fingerprint from its weights and writes it to a file. The full profile "
        "is NAME.fingerprint.safetensors. It holds what each layer answers to a fixed list of "
        "tokens, which no permutation, rotation or scaling of the weights changes, and sketches "
        "and digests of every weight. The paper profile is the published one (arXiv 2506.01631): "
        "NAME_features.json. It holds features of how up to ten tensors respond to five kinds of "
        "input.",
        {{"tensorguard fingerprint Llama-3.2-1B",
          "Writes Llama-3.2-1B.fingerprint.safetensors here."},
         {"tensorguard fingerprint models/* -o prints/", "One file for each model, in a folder."},
         {"tensorguard fingerprint models/* -o prints/ --jobs 4",
          "Four models at once; the same files."},
         {"tensorguard fingerprint Llama-3.2-1B --profile paper",
          "Writes Llama-3.2-1B_features.json here."}}}},
      {"compare",
       {"say how two models are related",
        "Compares two models by their fingerprints and gives a verdict: identical, derived, "
        "reparameterised (the same function in other numbers), shared-initialisation, independent "
        "or inconclusive. Then it shows the evidence, layer by layer, and what was done to the "
        "weights. With --deep the weights themselves are tested, which gives a p-value. Features "
        "files are compared by the paper profile. That sees mostly shapes and never says derived.",
        {{"tensorguard compare Llama-3.2-1B my-model", "Reads both models' weights."},
         {"tensorguard compare a.fingerprint.safetensors b.fingerprint.safetensors",
          "Compares stored fingerprints."},
         {"tensorguard compare Llama-3.2-1B my-model --deep --html evidence.html",
          "With the test on the weights, and everything on one page."},
         {"tensorguard compare a merged --known prints/",
          "Also looks for the parents of a merge in prints/."},
         {"tensorguard compare a b --fail-on derived,reparameterised",
          "Status 1 if the two have one origin: for scripts."}}}},
      {"classify",
       {"find the known models of a model's family",
        "Compares a model with every known one and names its family and the closest member, or "
        "says that it is unknown. The more models are known, the higher one of them scores by "
        "chance; the answer takes that into account. It says what the model comes from only where "
        "it is shown which of the two came first. Known models are registries, fingerprints, "
        "folders of them, "
        "or "
        "models. With features files the paper's method is used.",
        {{"tensorguard classify my-model --known prints/", "Against every fingerprint there."},
         {"tensorguard classify my-model --known Llama-3.2-1B gemma-3-1b-it",
          "Reads all models' weights."},
         {"tensorguard classify my_features.json --known paper-prints/",
          "By the paper's features alone."}}}},
      {"cluster",
       {"sort models into families",
        "Puts models into one family where their scores show a common origin. Nobody has to say "
        "how many families there are. With --centers the families form around the named models, by "
        "K-Means or by a Gaussian mixture that starts from it: on an embedding of the scores, or, "
        "with features files, by the paper's method.",
        {{"tensorguard cluster prints/", "The families among all fingerprints of a folder."},
         {"tensorguard cluster prints/ --centers Llama-3.1-8B,phi-4 --plot families.svg",
          "Two families, drawn in two dimensions as well."}}}},
      {"lineage",
       {"show who came from whom among models",
        "Draws the family trees of models, from their weights alone: parents, merges with their "
        "weights, copies and rewritten copies, and models that are missing. Each step says "
        "whether it is shown which of the two came first, and how sure the parent is. Cards and "
        "configs change nothing; where they name a parent, the answer says whether it agrees.",
        {{"tensorguard lineage prints/", "The trees of all fingerprints of a folder."},
         {"tensorguard lineage prints/ --root Llama-3.1-8B --format html -o tree.html",
          "One family, as a page for a browser."}}}},
      {"registry",
       {"keep known models, and search among very many",
        "A registry holds the fingerprints of known models, where they are from, their licences "
        "and "
        "what is known of their ancestry: one file, or a PostgreSQL database. init makes an empty "
        "one; add fingerprints models and adds them; list, show and status say what is there. "
        "search names the nearest models, which is a list and no verdict ('classify --known "
        "REGISTRY' gives one), and those whose weight files are the same, byte for byte; shared "
        "says whose layers a model holds, number for number; "
        "duplicates what several models hold. relate records that a model comes from another and "
        "measures the two. export and import carry a set of models from one registry to another; "
        "verify checks all of it; remove takes a model out, and the log keeps that it was there. "
        "Commands that take models take REGISTRY#NAME, too.",
        {{"tensorguard registry init known.tgr", "An empty registry in one file."},
         {"tensorguard registry add prints/ --registry known.tgr --license apache-2.0",
          "Adds every fingerprint of a folder."},
         {"tensorguard registry search my-model --registry known.tgr --full",
          "The nearest models, each compared in full."},
         {"tensorguard classify my-model --known known.tgr",
          "What the model comes from, among all that are known."},
         {"tensorguard registry search 2f1c...e0 --registry known.tgr",
          "Whose weight file has this SHA-256."},
         {"tensorguard registry status known.tgr --max-age 30d",
          "Status 1 if nothing was added for a month: for scripts."}}}},
      {"convert",
       {"write a model as one plain safetensors file",
        "Writes any readable model, or an adapter merged into its base, as one safetensors file. "
        "Names are kept and numbers rounded to the nearest, ties to even. Works tensor by tensor: "
        "the model need not fit in memory.",
        {{"tensorguard convert my-model -o my-model.safetensors", "As 32-bit numbers."},
         {"tensorguard convert my-lora --base Llama-3.2-1B -o merged.safetensors --dtype bf16",
          "Merges an adapter."}}}},
      {"sensitivity",
       {"show how each tensor responds to each perturbation",
        "Shows for each tensor how strongly it responds to each of the five perturbations of the "
        "paper: gaussian, structured, low_frequency, high_frequency and adversarial. The gain, "
        "||Wx|| / ||x||, depends on the weights. The score that the paper publishes is ||x||, and "
        "depends on the width of the tensor's input alone; it is shown once for each width.",
        {{"tensorguard sensitivity Llama-3.2-1B", "A table, one row for each tensor."}}}},
      {"evaluate",
       {"hold the verdicts against the truth",
        "Compares every model of a folder with every base in it. A file tells which is whose "
        "child; the answers are held against it. The table shows how well the score separates "
        "derived from independent pairs, which verdicts were given for which kind of derivation, "
        "and whether the nearest base is the right one. A list of pairs may name models of the "
        "Hub; see "
        "benchmarks/README.md of the project.",
        {{"tensorguard evaluate zoo/TRUTH.json", "By the full profile."},
         {"tensorguard evaluate benchmarks/real_pairs.json --quick --keep answers",
          "Pairs of published models, from a part of each; goes on where it was interrupted."},
         {"tensorguard evaluate zoo/TRUTH.json --profile deep",
          "With the test on both models' weights."}}}},
      {"transform",
       {"write a changed copy of a model",
        "Changes a model and writes the copy as a folder: changes that keep what the model "
        "computes, such as another basis, and changes that damage it by a known amount. How far "
        "each moves the logits is measured on a few random sequences. Holds the whole model in "
        "memory. For models laid out like Llama, Qwen, Mistral, Gemma or Phi-3.",
        {{"tensorguard transform --list", "All changes, with their strengths and sources."},
         {"tensorguard transform tiny -o copy --with rotate,rescale:1.5 --seed 7",
          "Another basis; the function stays."},
         {"tensorguard transform tiny -o mixed --with splice:0.5 --with-model other",
          "Half of the layers from another model."}}}},
      {"stress",
       {"show what is still found of a model after each change",
        "Changes a model in many ways, in memory, and compares each copy with it: how far the "
        "logits moved, the verdict and the score, and the weakest spots in words. With --against "
        "parts of other models are put in, and no copy may be taken for one of theirs but for "
        "what was put in.",
        {{"tensorguard stress my-model", "All changes."},
         {"tensorguard stress my-model --against other --deep --html grid.html",
          "Also forgeries, with the test on the weights, on one page."},
         {"tensorguard stress my-model --changes noise,rotate+noise:0.1 --search",
          "Some changes, and a search for the best disguise."}}}},
      {"completion",
       {"print a script that completes commands in a shell",
        "Prints a completion script for bash, zsh or fish.",
        {{"tensorguard completion bash > ~/.local/share/bash-completion/completions/tensorguard",
          "For bash, from the next shell on."},
         {"tensorguard completion zsh > ~/.zfunc/_tensorguard",
          "For zsh, where ~/.zfunc is in fpath."},
         {"tensorguard completion fish > ~/.config/fish/completions/tensorguard.fish",
          "For fish."}}}},
      {"man",
       {"print the manual page",
        "Prints the manual page in roff.",
        {{"tensorguard man | man -l -", "Reads it."},
         {"tensorguard man > ~/.local/share/man/man1/tensorguard.1", "Installs it."}}}},
  };
  return kTexts.at(command);
}

}  // namespace tensorguard::internal::cli
