import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { assertGoldenText } from '../../support/golden/index.ts'
import {
  busyboxBase,
  pushLayout,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { writeContext } from '../support/context.ts'
import { EXECUTABLE } from '../support/installed.ts'
import { FIXTURES } from '../support/tsbuild.ts'
import { runCounted, type Used } from './counted-run.ts'

const DOCKERFILE = `FROM scratch
COPY --chmod=755 busybox /bin/busybox
COPY a.txt /
RUN ["/bin/busybox", "true"]
`

/**
 * What a build uses is counted, because time on a shared machine says little: the lists change only with
 * `UPDATE=1`, and a longer one needs a reason.
 */
describe('what is used', () => {
  let directory: TemporaryDirectory
  let registry: MemoryRegistry
  before(async function () {
    // It opens no files of the bundle.
    if (EXECUTABLE !== undefined) this.skip()
    directory = temporaryDirectory('used')
    registry = await MemoryRegistry.start()
    await pushLayout(await busyboxBase(), `${registry.host}/base:latest`)
    writeContext(directory.file('based'), {
      Dockerfile: `FROM ${registry.host}/base\nCOPY a.txt /\nRUN true\n`,
      'a.txt': 'a\n',
    })
    writeContext(directory.file('context'), {
      Dockerfile: DOCKERFILE,
      'a.txt': 'a\n',
      busybox: readFileSync('/bin/busybox'),
    })
    // Digests of files that are younger than two seconds are not remembered.
    await setTimeout(2100)
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  for (const [name, args, store] of [
    ['help', ['--help'], 'store'],
    ['parse', ['parse', 'context/Dockerfile'], 'store'],
    ['cached', ['-t', 'a', 'context'], 'store'],
    ['small', ['-t', 'a', 'context'], 'new-store'],
    ['based', ['-t', 'b', 'based'], 'new-based'],
    ['based-cached', ['-t', 'b', 'based'], 'with-base/store'],
    // The log of a store that more builds have used may be long enough to be moved just then.
    ['based-again', ['-t', 'b', '--no-cache', 'based'], 'with-base/store'],
  ] as const) {
    it(`by ${name} is what is listed`, async () => {
      // The first ones keep the compiled code, and fill the store.
      for (const time of ['first', 'second']) await use(time)
      const used = await use('third')
      assertGoldenText(
        `${FIXTURES}/e2e/used/${name}.json`,
        `${JSON.stringify(used, undefined, 2)}\n`,
      )
    })

    async function use(time: string): Promise<Used> {
      const root = directory.file(store.startsWith('new-') ? `${store}-${time}` : store)
      return await runCounted(args, { directory, root, registry })
    }
  }
})
