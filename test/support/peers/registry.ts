import { writeFileSync } from 'node:fs'
import { type Daemon, startDaemon } from './process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A docker-registry on a free port of the loopback interface, with storage of its own. */
export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:port`, the first part of an image name. */
  readonly host: string
  /** Where its blobs and tags are, in the layout of docker-registry. */
  readonly storage: string
  /** What it logged, one line a request. */
  readonly log: string
  readonly daemon: Daemon
}

export async function startRegistry(): Promise<Registry> {
  const directory = temporaryDirectory('registry')
  const storage = directory.file('storage')
  const log = directory.file('log')
  writeFileSync(directory.file('config.json'), JSON.stringify(configuration(storage)))
  const daemon = await startDaemon('docker-registry', ['serve', directory.file('config.json')], {
    log,
    ready: (text) => /listening on (127\.0\.0\.1:\d+)/.exec(text)?.[1],
  })
  return {
    host: daemon.ready,
    storage,
    log,
    daemon,
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]()
      directory[Symbol.dispose]()
    },
  }
}

function configuration(rootdirectory: string): object {
  return {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0' },
  }
}
