// Builds the folder given as argument and says what came out:
//   node docs/examples/build-image.mjs CONTEXT NAME [STORE]
import { build, TsbuildError } from 'tsbuild'

const [context = '.', name = 'example:latest', root] = process.argv.slice(2)

try {
  const result = await build({
    context,
    tags: [name],
    buildArgs: { VERSION: '1.0' },
    ...(root === undefined ? {} : { root }),
    signal: AbortSignal.timeout(10 * 60_000),
    onEvent: (event) => {
      if (event.type === 'started') console.error(event.name)
      if (event.type === 'log') process.stderr.write(event.data)
    },
  })
  const { imageId, layers, steps } = result
  console.log(JSON.stringify({ imageId, layers: layers.length, ...steps }))
} catch (error) {
  if (!(error instanceof TsbuildError)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
}
