import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { changesOf, clampDirectory, stackTree, writeLayer } from '#builder/layer'
import { inProcessSandbox, run, type Sandbox } from '#builder/sandbox'
import { adoptFuseUpper, copyUpper, openSnapshots, type Snapshots } from '#builder/snapshot'
import type { Mount, SnapshotterKind } from '#core'

const APPLETS =
  'sh cat chmod chown cp dd echo find ln ls mkdir mkfifo mknod mv printf rm rmdir sha256sum sort stat touch true wc xargs yes head tail df'
/** Cap_net_bind_service, permitted and effective. */
const CAPABILITY = '0x0100000200040000000000000000000000000000'
/** Milliseconds: nothing that a step writes is newer, so that all kinds give it the same time. */
const TIME = 1_600_000_000_000

/** What a step left and said. */
export interface LeftBehind {
  /** The layer. */
  readonly directory: string
  readonly output: string
}

/** Runs steps on layers with one kind of snapshots, in a directory that `close` removes. */
export class SnapshotFixture {
  readonly home: string
  readonly image: string
  readonly snapshots: Snapshots
  readonly notices: string[] = []
  readonly choices: string[] = []
  readonly #sandbox: Sandbox
  #count = 0

  constructor(choice: SnapshotterKind | 'auto', more: { readonly folder?: string } = {}) {
    this.home = mkdtempSync(join(more.folder ?? '/var/tmp', 'tsbuild-snapshot-test-'))
    this.image = makeImage(`${this.home}/image`)
    this.#sandbox = inProcessSandbox({ temporary: this.directory() })
    this.snapshots = openSnapshots({
      choice,
      size: undefined,
      memory: { recall: () => undefined, remember: () => undefined },
      scratch: () => this.directory(),
      work: {
        copyUpper: async (paths) => copyUpper(paths),
        adoptFuseUpper: async (written) => adoptFuseUpper(written),
      },
      onChoice: (kind) => this.choices.push(kind),
      onNotice: (message) => this.notices.push(message),
    })
  }

  /** A new, empty directory. */
  directory(): string {
    const path = this.path()
    mkdirSync(path)
    return path
  }

  /** A path where nothing is. */
  path(): string {
    return `${this.home}/${this.#count++}`
  }

  /** Runs a script on layers, topmost first, and keeps what it changed. @throws when it fails */
  step(script: string, lower: readonly string[] = [this.image]): Promise<LeftBehind> {
    return this.snapshots.use(async (snapshotter) => {
      await using snapshot = await snapshotter.prepare(this.path(), lower)
      const output = await this.run(script, [snapshot.root])
      const directory = await snapshot.changes()
      clampDirectory(directory, TIME)
      snapshot.altered()
      return { directory, output }
    })
  }

  /** Runs a script that sees what layers have in `/m` at /m. @returns its output */
  look(
    lower: readonly string[],
    options: { readonly writable: boolean },
    script: string,
  ): Promise<string> {
    return this.snapshots.use(async (snapshotter) => {
      await using snapshot = await snapshotter.prepare(this.path(), [this.image])
      await using view = await snapshotter.view(this.path(), lower, options)
      const path = lower.length === 0 ? '/' : '/m'
      const mount: Mount = { ...view.mount, target: '/m', path }
      return await this.run(script, [snapshot.root, mount])
    })
  }

  /** Runs a script in a root. @returns its output. @throws with the output when it fails */
  async run(script: string, mounts: readonly [Mount, ...Mount[]]): Promise<string> {
    const output: Buffer[] = []
    const { exitCode } = await run(
      this.#sandbox,
      {
        args: ['sh', '-c', script],
        env: ['PATH=/bin', `CAP=${CAPABILITY}`],
        ...{ cwd: '/', user: '', hostname: 'snapshot', network: 'none', extraHosts: [] },
        ...{ shmSize: 1024 ** 2, security: 'sandbox', init: true, ulimits: [], resources: {} },
        mounts,
      },
      { onOutput: (_stream, data) => void output.push(Buffer.from(data)) },
    )
    const text = Buffer.concat(output).toString('latin1')
    if (exitCode === 0) return text
    throw new Error(`exit code ${exitCode}: ${text}`)
  }

  /** The entries of the layer's tar and its digest last, one line each. */
  packed(directory: string, lower: readonly string[]): readonly string[] {
    const tree = stackTree(lower)
    const tar = this.path()
    try {
      const lines = Array.from(changesOf(directory, { lower: tree }), (change) => {
        if (change.kind !== 'entry') return `${change.path} ${change.kind}`
        const { type, mode, uid, gid, size, mtimeMs, major, minor } = change.stat
        const facts = [type, mode.toString(8), `${uid}:${gid}`, size, mtimeMs, `${major}:${minor}`]
        const capability = change.xattrs?.get('security.capability')?.toString('hex')
        return [change.path, ...facts, change.hardlink, change.target, capability].join(' ')
      })
      return [...lines, writeLayer(changesOf(directory, { lower: tree }), { tar }).diffId ?? '']
    } finally {
      tree.close()
      rmSync(tar, { force: true })
    }
  }

  async close(): Promise<void> {
    await this.#sandbox[Symbol.asyncDispose]()
    await this.snapshots[Symbol.asyncDispose]()
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** A layer with busybox, and a program that sets attributes. */
function makeImage(directory: string): string {
  for (const path of ['bin', 'tmp', 'lib']) mkdirSync(`${directory}/${path}`, { recursive: true })
  copyFileSync('/bin/busybox', `${directory}/bin/busybox`)
  for (const applet of APPLETS.split(' ')) symlinkSync('busybox', `${directory}/bin/${applet}`)
  const program = '/usr/bin/setfattr'
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' })
  const libraries = [...stdout.matchAll(/(\/[^ ]+) \(0x/g)].map(([, path = '']) => path)
  copyFileSync(program, `${directory}/bin/setfattr`)
  chmodSync(`${directory}/bin/setfattr`, 0o755)
  for (const library of libraries) {
    mkdirSync(`${directory}${dirname(library)}`, { recursive: true })
    copyFileSync(library, `${directory}${library}`)
  }
  return directory
}

/** Whether the file at a path of a layer takes less of the disk than it has bytes. */
export function isSparse(path: string): boolean {
  const { size, blocks } = lstatSync(path)
  return blocks * 512 < size
}
