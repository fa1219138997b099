// Reads a path a line, writes a line of JSON for each: what @huggingface/gguf makes of the file, or its error.
//
//     NODE_PATH=FOLDER_OF_NODE_MODULES node read_gguf.mjs
//
// The package is looked for in NODE_PATH, as for scripts of the older kind.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const found = createRequire(import.meta.url).resolve("@huggingface/gguf");
const { gguf, GGMLQuantizationType } = await import(pathToFileURL(found));
process.stdout.write("ready\n");

for await (const path of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const read = await gguf(path, { allowLocalFile: true });
    answer = {
      begin: Number(read.tensorDataOffset),
      tensors: read.tensorInfos.map((tensor) => ({
        name: tensor.name,
        type: GGMLQuantizationType[tensor.dtype] ?? String(tensor.dtype),
        shape: tensor.shape.map(Number).reverse(), // the widest step first, as everywhere else
        offset: Number(tensor.offset),
      })),
    };
  } catch (failure) {
    answer = { error: String(failure) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
