/** A builder whose step has a secret and never ends; it writes a line when that runs. */
import { mkdtempSync } from 'node:fs'
import { run } from '#builder/sandbox'
import { inPlaceThread } from '#builder/solve'
import { inPlaceSandbox } from '../../../../../builder/sandbox/in-place/in-place-sandbox.ts'

const [secret = ''] = process.argv.slice(2)
const kept = ['/dev']
const temporary = mkdtempSync('/tmp/holding-')
const watched = { contexts: [], tops: [], store: temporary }
const sandbox = inPlaceSandbox({ kept, thread: inPlaceThread({ temporary, kept, watched }) })
await run(
  sandbox,
  {
    args: ['sh', '-c', 'cat /s > /dev/null; echo runs; sleep 4711; :'],
    ...{ env: ['PATH=/bin'], cwd: '/', user: '', hostname: 'x', network: 'host', extraHosts: [] },
    ...{ shmSize: 1 << 20, security: 'sandbox', init: true, ulimits: [], resources: {} },
    mounts: [
      { type: 'bind', target: '/', source: '/', readonly: false },
      ...([{ type: 'file', target: '/s', uid: 0, gid: 0, mode: 0o400 }] as const).map((mount) => ({
        ...mount,
        content: Buffer.from(secret),
      })),
    ],
  },
  { onOutput: (_, data) => process.stdout.write(data) },
)
