import { writeFileSync } from 'node:fs'
import { type Outcome, run } from '../process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** buildah with storage of its own. */
export interface Buildah extends AsyncDisposable {
  /** Fetches a base image, so that a later build finds it. */
  pull(reference: string): Promise<void>
  /** Builds with layers (a cached image a step), on the host's network. */
  build(args: readonly string[]): Promise<Outcome>
  /** Pushes an image, to a registry or a file; its layers are packed with gzip, unless `args` say otherwise. */
  push(image: string, reference: string, args?: readonly string[]): Promise<void>
}

/** Milliseconds for one command: on a busy machine forty steps take minutes. */
const PATIENCE = 30 * 60_000

export async function startBuildah(): Promise<Buildah> {
  const directory = temporaryDirectory('buildah')
  const policy = directory.file('policy.json')
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
  const buildah = (args: readonly string[]) =>
    run(
      'buildah',
      [
        ...['--root', directory.file('root'), '--runroot', directory.file('run')],
        ...['--storage-driver', 'overlay'],
        ...args,
      ],
      // Its cache mounts lie in the folder for temporary files.
      { timeoutMs: PATIENCE, env: { TMPDIR: directory.path } },
    )
  const rules = ['--signature-policy', policy, '--tls-verify=false']
  return {
    pull: async (reference) => void (await buildah(['pull', ...rules, reference])),
    build: (args) =>
      buildah(['build', '--layers', '--network', 'host', '--pull-never', ...rules, ...args]),
    push: async (image, reference, args = []) =>
      void (await buildah(['push', ...rules, ...args, image, reference])),
    [Symbol.asyncDispose]: async () => {
      await buildah(['rm', '--all'])
      directory[Symbol.dispose]()
    },
  }
}
