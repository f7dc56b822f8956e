/** Makes `fixtures/hello/hello`, which git does not hold. `npm ci` runs this. */
import { makeHello } from './make-hello.ts'

const directory = new URL('../../../../fixtures/hello/', import.meta.url)
if (!makeHello(directory, process.arch)) {
  console.error(`fixtures/hello has no program for the processor ${process.arch}`)
}
