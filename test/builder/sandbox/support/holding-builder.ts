/**
 * A builder that has a folder of the host open at every descriptor up to `LAST`, and starts steps that
 * name these as program, interpreter, script, working directory, mount and target of a mount. Takes the
 * path of a JSON document `Held`, and writes `Attempt`s as JSON to standard output. An ordinary user
 * becomes root of a namespace first.
 */
import '../../../support/published-workers/index.ts'
import { openSync, readFileSync } from 'node:fs'
import { reexecInUserNamespace } from '#builder/namespaces'
import { inProcessSandbox, run, type Sandbox } from '#builder/sandbox'
import { createWritable } from '#builder/snapshot'
import { errnoOf, TsbuildError } from '#core'
import { type Attempt, attacks, type Held, type HeldStep, LAST, twins } from './held-steps.ts'

/** How many steps run at a time. */
const LANES = 3

reexecInUserNamespace({ env: process.env })
const held: Held = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
// The descriptors that Node has already stay what they are.
for (let last = 0; last <= LAST; last = openSync(held.folder, 'r'));
await using sandbox = inProcessSandbox({ temporary: held.temporary })
const results: Attempt[] = []
const queue = [...attacks(held), ...twins(held)].entries()
const lane = async (): Promise<void> => {
  for (const [index, step] of queue) results.push(await attempt(sandbox, { step, index }))
}
await Promise.all(Array.from({ length: LANES }, lane))
process.stdout.write(JSON.stringify(results))

async function attempt(
  sandbox: Sandbox,
  { step, index }: { readonly step: HeldStep; readonly index: number },
): Promise<Attempt> {
  const { name, args, cwd = '/', mount } = step
  const chunks: Uint8Array[] = []
  try {
    const writable = createWritable(`${held.scratch}/${index}`, held.lower)
    await run(
      sandbox,
      {
        args,
        cwd,
        env: ['PATH=/bin'],
        user: '',
        hostname: 'held',
        network: 'none',
        extraHosts: [],
        shmSize: 1024 * 1024,
        security: 'sandbox',
        init: true,
        ulimits: [],
        resources: {},
        mounts: [
          { type: 'overlay', target: '/', lower: held.lower, writable },
          ...(mount === undefined ? [] : [mount]),
        ],
      },
      { onOutput: (_, data) => void chunks.push(data) },
    )
    return { name, output: Buffer.concat(chunks).toString() }
  } catch (error) {
    if (!(error instanceof TsbuildError)) throw error
    const refused = `${error.code} ${error.message} ${errnoOf(error.cause) ?? ''}`
    return { name, output: Buffer.concat(chunks).toString(), refused }
  }
}
