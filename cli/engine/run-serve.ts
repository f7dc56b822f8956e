import { readFileSync } from 'node:fs'
import { resolveRoot } from '#builder'
import { parseGroups, usageError } from '#core'
import { type ListenAddress, parseListenAddresses, type TlsFiles } from '#engine/daemon'
import { parseDuration } from '#parser'
import type { Arguments } from '../arguments/flags.ts'
import { packageVersion } from '../reports/package-version.ts'
import { networkSettings } from '../settings/network-settings.ts'
import { note, type Shell } from '../terminal/shell.ts'
import { cleanLine } from '../terminal/text.ts'
import { ownDaemon } from './connect/own-daemon.ts'

/** Milliseconds in which containers may end by themselves when the daemon is told to stop. */
const PATIENCE = 600_000

/** `tsbuild serve` */
export async function runServe(args: Arguments, shell: Shell): Promise<number> {
  shell.takeTime(PATIENCE)
  const root = args.text('root') ?? resolveRoot(shell.env)
  // Credentials come with requests.
  const { authFile: _, ...network } = await networkSettings(args, shell)
  const shared = {
    ...{ root, network },
    version: packageVersion(),
    group: groupOf(args.text('group')),
    tls: tlsOf(args),
    idleTimeout: idleTimeoutOf(args.text('idle-timeout')),
    signal: shell.signal,
  }
  const buildkit = args.list('buildkit').flatMap((text) => parseListenAddresses(text, shell.env))
  const engine = {
    addresses: addressesOf(args, { root, env: shell.env }),
    onWarning: (message: string) => note(shell, `WARNING: ${cleanLine(message)}`),
  }
  const isAlone = buildkit.length > 0 && args.list('host').length === 0
  const serving: Promise<void>[] = []
  if (buildkit.length > 0) {
    const { serveBuildkit } = await import('#buildkit')
    serving.push(serveBuildkit({ ...shared, addresses: buildkit }))
  }
  if (!isAlone) {
    const { serveEngine } = await import('#engine')
    const openDoor = async () => (await import('#buildkit')).openBuildkit(shared)
    serving.push(serveEngine({ ...shared, ...engine, openBuildkit: openDoor }))
  }
  await Promise.all(serving)
  return 0
}

/** Where it is told to listen; else where the commands for this store look for their daemon. */
function addressesOf(
  args: Arguments,
  { root, env }: { readonly root: string; readonly env: Shell['env'] },
): readonly ListenAddress[] {
  const hosts = args.list('host')
  if (hosts.length > 0) return hosts.flatMap((host) => parseListenAddresses(host, env))
  return [{ kind: 'unix', path: ownDaemon(root, env).socket, isOwn: true }]
}

/** By number or name. @throws {TsbuildError} USAGE */
function groupOf(name: string | undefined): number | undefined {
  if (name === undefined) return undefined
  if (/^\d{1,9}$/.test(name)) return Number(name)
  const found = parseGroups(readFileSync('/etc/group', 'utf8')).find((one) => one.name === name)
  if (found !== undefined) return found.gid
  throw usageError(`there is no group ${JSON.stringify(name)}`, 'name one of /etc/group')
}

function tlsOf(args: Arguments): TlsFiles | undefined {
  const [ca, cert, key] = [args.text('tlscacert'), args.text('tlscert'), args.text('tlskey')]
  if (ca === undefined && cert === undefined && key === undefined) return undefined
  if (ca !== undefined && cert !== undefined && key !== undefined) return { ca, cert, key }
  throw usageError('certificates are incomplete', 'give --tlscacert, --tlscert and --tlskey')
}

/** Milliseconds. */
function idleTimeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const nanoseconds = parseDuration(text)
  if (typeof nanoseconds === 'number' && nanoseconds > 0) return nanoseconds / 1e6
  throw usageError(`invalid --idle-timeout ${JSON.stringify(text)}`, 'write it like 60s or 5m')
}
