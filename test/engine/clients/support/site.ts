import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ownNetwork } from '../../../support/networks/index.ts'
import {
  busyboxBase,
  run,
  startDaemon,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../support/peers/index.ts'

/** The registry of every site, which has `busybox:latest`. */
export const REGISTRY = '127.0.0.1:5000'
/** Another one, which asks for a name and a password. */
const CLOSED_REGISTRY = '127.0.0.1:5001'

/** What answers searches. */
const SEARCHED = '127.0.0.1:5002'
const SEARCH_STAND_IN = fileURLToPath(new URL('./search-stand-in.js', import.meta.url))

/**
 * A network namespace with registries at fixed addresses, in which one engine makes its bridges, rules
 * and ports. What engines answer can then be compared as it is: all of them have the same addresses.
 */
export interface Site extends AsyncDisposable {
  /** Words before a command that run it in the namespace. */
  readonly enter: readonly string[]
  /** The path of the namespace. */
  readonly network: string
  /** Others may enter it. */
  readonly directory: TemporaryDirectory
}

/** Needs root. */
export async function startSite(): Promise<Site> {
  await using stack = new AsyncDisposableStack()
  const directory = temporaryDirectory('site', 0o755)
  stack.defer(() => directory[Symbol.dispose]())
  const { enter, path: network } = stack.use(await ownNetwork(directory.file('holder.log')))
  stack.use(await startRegistry({}, { enter, addr: REGISTRY }))
  stack.use(await startRegistry(await passwords(directory), { enter, addr: CLOSED_REGISTRY }))
  const [entered = '', ...rest] = [...enter, process.execPath, SEARCH_STAND_IN, SEARCHED]
  const searched = await startDaemon(entered, rest, {
    log: directory.file('search.log'),
    ready: (log) => (log.includes('ready') ? 'ready' : undefined),
  })
  stack.use(searched)
  const [command = '', ...words] = [...enter, 'skopeo', '--insecure-policy', 'copy', '--quiet']
  const source = `oci:${await busyboxBase()}:latest`
  const target = `docker://${REGISTRY}/busybox:latest`
  await run(command, [...words, '--preserve-digests', '--dest-tls-verify=false', source, target])
  const owned = stack.move()
  return { enter, network, directory, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** User `me`, password `secret`. */
async function passwords(directory: TemporaryDirectory): Promise<object> {
  const { stdout } = await run('htpasswd', ['-Bbn', 'me', 'secret'])
  const path = directory.file('passwords')
  writeFileSync(path, stdout)
  return { auth: { htpasswd: { realm: 'closed', path } } }
}
