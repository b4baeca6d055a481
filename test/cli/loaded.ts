/** Preloaded: lists the modules that a run of the command line has loaded, when it ends. */
process.on("exit", () => {
  for (const path of Object.keys(require.cache)) console.log(path)
})
