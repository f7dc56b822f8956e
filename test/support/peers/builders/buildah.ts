import { writeFileSync } from 'node:fs'
import { type Outcome, run } from '../process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { CNI_PLUGINS } from './cni-plugins.ts'

/** buildah with storage of its own. */
export interface Buildah extends AsyncDisposable {
  /** Fetches a base image, so that a later build finds it. */
  pull(reference: string): Promise<void>
  /** Builds with layers: a cached image a step. */
  build(args: readonly string[]): Promise<Outcome>
  /** Pushes an image, to a registry or a file; its layers are packed with gzip, unless `args` say otherwise. */
  push(image: string, reference: string, args?: readonly string[]): Promise<void>
}

/** Milliseconds for one command: on a busy machine forty steps take minutes. */
const PATIENCE = 30 * 60_000

export interface BuildahOptions {
  /** Words before the command, which start it elsewhere. */
  readonly enter?: readonly string[]
  /** `--network`: that of the host, or one for each step, made by CNI. Default: `host`. */
  readonly network?: 'host' | 'private'
}

export async function startBuildah(options: BuildahOptions = {}): Promise<Buildah> {
  const { enter = [], network = 'host' } = options
  const directory = temporaryDirectory('buildah')
  const policy = directory.file('policy.json')
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
  const buildah = (args: readonly string[]) => {
    const [command = '', ...words] = [
      ...[...enter, 'buildah'],
      ...['--root', directory.file('root'), '--runroot', directory.file('run')],
      ...['--storage-driver', 'overlay'],
      ...args,
    ]
    // Its cache mounts lie in the folder for temporary files.
    return run(command, words, { timeoutMs: PATIENCE, env: { TMPDIR: directory.path } })
  }
  // The folder is not there: a machine may have other networks than those that buildah has by itself.
  const cni = ['--cni-config-dir', directory.file('cni'), '--cni-plugin-path', CNI_PLUGINS]
  const networks = ['--network', network, ...(network === 'private' ? cni : [])]
  const rules = ['--signature-policy', policy, '--tls-verify=false']
  return {
    pull: async (reference) => void (await buildah(['pull', ...rules, reference])),
    build: (args) => buildah(['build', '--layers', ...networks, '--pull-never', ...rules, ...args]),
    push: async (image, reference, args = []) =>
      void (await buildah(['push', ...rules, ...args, image, reference])),
    [Symbol.asyncDispose]: async () => {
      await buildah(['rm', '--all'])
      directory[Symbol.dispose]()
    },
  }
}
