import type { BuildOptions } from '#builder'
import { chainMessage } from '#buildkit/reports'
import type { Arguments } from '../arguments/flags.ts'
import { note, type Shell } from '../terminal/shell.ts'
import { cleanLine } from '../terminal/text.ts'
import { readSettingsFiles } from './config-file.ts'
import type { NetworkKeys } from './settings-keys.ts'

/** What of the options of a build is about networks. */
export type NetworkSettings = Required<
  Pick<BuildOptions, 'insecureRegistries' | 'registryAuthorities' | 'registryMirrors'>
> &
  Pick<BuildOptions, 'authFile'>

/**
 * What flags and files of settings say of networks. Proxies of files take the place of variables that are not set,
 * for this process and those that it starts. Files that are wrong are a warning: what is asked for may need none.
 */
export async function networkSettings(args: Arguments, shell: Shell): Promise<NetworkSettings> {
  const keys = await readKeys(shell)
  for (const [name, { value }] of keys?.proxies ?? []) {
    const isSet = shell.env[name] !== undefined || shell.env[name.toLowerCase()] !== undefined
    if (!isSet) process.env[name] = value
  }
  const authFile = args.text('authfile') ?? authFileOf(keys, shell.env)
  return {
    insecureRegistries: [...args.list('insecure-registry'), ...(keys?.insecure?.value ?? [])],
    registryAuthorities: [...args.list('registry-ca'), ...(keys?.authorities?.value ?? [])],
    registryMirrors: [...args.list('registry-mirror'), ...(keys?.mirrors?.value ?? [])],
    ...(authFile === undefined ? {} : { authFile }),
  }
}

/** The environment comes before files of settings. */
function authFileOf(keys: NetworkKeys | undefined, env: Shell['env']): string | undefined {
  if (env.REGISTRY_AUTH_FILE || env.DOCKER_AUTH_CONFIG) return undefined
  return keys?.authFile?.value
}

async function readKeys(shell: Shell): Promise<NetworkKeys | undefined> {
  try {
    const files = await readSettingsFiles(shell.env)
    if (files.length === 0) return undefined
    const { networkKeys } = await import('./settings-keys.ts')
    return networkKeys(files)
  } catch (error) {
    note(shell, cleanLine(`WARNING: settings of networks are left out: ${chainMessage(error)}`))
    return undefined
  }
}
