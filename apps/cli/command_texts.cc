#include "cli/command_texts.h"

#include <map>

namespace tensorguard::cli {

std::string_view ProgramSummary() {
  return "Tells from weights alone which model a language model comes from.";
}

const std::vector<Section>& SharedSections() {
  static const std::vector<Section> kSections = {
      {"Models",
       "A MODEL is a safetensors file; a folder in the layout of Hugging Face, with or without an "
       "index of its shards; a folder of the Hub's cache; or a PEFT adapter folder together with "
       "--base MODEL. Commands that need no weights also take a features file "
       "(NAME_features.json)."},
      {"Output",
       "Results go to standard output, messages to standard error. A progress bar is shown on a "
       "terminal only. With --json the result is one JSON object in one line."},
      {"Exit status",
       "0: done, whatever the answer. 1: the answer is one that --fail-on names. 2: an error; of "
       "several models, the others are still done."},
      {"Environment", "NO_COLOR: set to anything, the progress bar has no colour."},
  };
  return kSections;
}

const CommandText& TextOf(std::string_view command) {
  static const std::map<std::string_view, CommandText> kTexts = {
      {"inspect",
       {"show a model's architecture and tensors",
        "Shows what a model is made of: architecture, layers, parameters, and what each tensor "
        "does, and the tokenizer beside it. Reads headers, configuration and vocabulary, no "
        "weights.",
        {{"tensorguard inspect Llama-3.2-1B", "A summary, and how many tensors have which role."},
         {"tensorguard inspect --tensors model.safetensors", "Every tensor of one file."},
         {"tensorguard inspect my-lora --base Llama-3.2-1B",
          "An adapter, merged into its base."}}}},
      {"fingerprint",
       {"write the fingerprint of each model",
        "Computes a model's fingerprint from its weights and writes it to a file. The paper "
        "profile is the published one (arXiv 2506.01631): features of the response of up to ten "
        "tensors to five kinds of input, written as NAME_features.json.",
        {{"tensorguard fingerprint Llama-3.2-1B", "Writes Llama-3.2-1B_features.json here."},
         {"tensorguard fingerprint models/* -o prints/",
          "One file for each model, in a folder."}}}},
      {"compare",
       {"say how two models are related",
        "Compares two models by their fingerprints and gives a verdict: identical, derived, "
        "reparameterised, shared-initialisation, independent or inconclusive. The paper profile "
        "sees the shape of a model and little of its weights, so that it can only tell that two "
        "fingerprints are identical; the notes of the result say what it cannot see.",
        {{"tensorguard compare Llama-3.2-1B my-model", "Reads both models' weights."},
         {"tensorguard compare a_features.json b_features.json", "Compares stored fingerprints."},
         {"tensorguard compare a b --known prints/",
          "Gives the distance in standard deviations of the models in prints/."},
         {"tensorguard compare a b --fail-on identical",
          "Status 1 if the two are identical: for scripts."}}}},
      {"classify",
       {"find the nearest known family of a model",
        "Finds which known model a model is nearest to by the paper's method, or says that it is "
        "none of them. Known models are features files, folders of them, or models.",
        {{"tensorguard classify my-model --known prints/", "Against every *_features.json there."},
         {"tensorguard classify my_features.json --known llama_features.json gemma_features.json",
          "From stored fingerprints alone."}}}},
      {"cluster",
       {"group fingerprints into families around given models",
        "Groups models into families by the paper's method: standardised features, K-Means (or a "
        "Gaussian mixture started from it) from the named models as centres.",
        {{"tensorguard cluster prints/ --centers Llama-3.1-8B,gemma-3-4b-it",
          "Every *_features.json of a folder, two families."},
         {"tensorguard cluster prints/ --centers Llama-3.1-8B,phi-4 --plot families.svg",
          "Draws the families in two dimensions as well."}}}},
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
        "Compares every model of a folder with every base in it and holds the answers against a "
        "file that tells which is whose child: how well the score separates derived from "
        "independent pairs, which verdicts were given, by kind of derivation, and whether the "
        "nearest base is the right one.",
        {{"tensorguard evaluate zoo/TRUTH.json", "By the full profile."},
         {"tensorguard evaluate zoo/TRUTH.json --profile deep",
          "With the test on both models' weights."}}}},
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

}  // namespace tensorguard::cli
