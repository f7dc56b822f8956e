import { fileURLToPath } from 'node:url'
import { makeHello } from '../../test/support/hello/make-hello.ts'
import { CLEAN_ENVIRONMENT } from '../../test/support/peers/index.ts'
import { CLI } from '../builders/tsbuild.ts'
import { measureProgram } from '../measure/program.ts'
import { milliseconds } from '../report/times.ts'

const HELLO = new URL('../../../fixtures/hello/', import.meta.url)

/**
 * The cached rebuild of the hello image beside the least that any program for Node.js takes.
 * @param file a path in a folder that is removed in the end
 */
export function hello(file: (name: string) => string): string {
  makeHello(HELLO, process.arch)
  const env = { ...CLEAN_ENVIRONMENT, HOME: file('home'), TSBUILD_ROOT: file('hello') }
  const args = [CLI, '-t', 'hello:latest', fileURLToPath(HELLO)]
  measureProgram(process.execPath, args, { repetitions: 3, env })
  const cached = measureProgram(process.execPath, args, { repetitions: 15, env })
  const node = measureProgram(process.execPath, ['-e', '0'], { repetitions: 15, env })
  const ratio = (cached / node).toFixed(1)
  return `Cached rebuild of fixtures/hello: ${milliseconds(cached)}, ${ratio} times \`node -e 0\` (${milliseconds(node)}); target: ≤ 5 times.`
}
