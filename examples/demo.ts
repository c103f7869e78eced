/** What `make demo` shows: from a graph file to trained models of handwritten digits, each line printed by the examples' own code. */
const examples = [
  ["hello", "A string constant, fetched through a session"],
  ["linear_regression", "A straight line by 2.5 million steps of gradient descent"],
  ["mnist_softmax", "Softmax regression on handwritten digits"],
  ["mnist_dnn", "A two-layer network with dropout and Adam, five epochs"],
] as const;

for (const [name, title] of examples) {
  console.log(`\n${title} (examples/${name})\n`);
  await import(`./${name}/run.js`);
}
