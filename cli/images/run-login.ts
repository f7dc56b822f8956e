import { defaultCredentials } from '#builder'
import { TsbuildError, usageError, withoutCredentials } from '#core'
import { createRegistryClient, parseReference, type StoredCredentials } from '#registry-client'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { ask, askSecret } from '../io/prompt.ts'
import { readStandardInput } from '../io/standard-input.ts'
import { networkSettings } from '../settings/network-settings.ts'
import { note, print, type Shell } from '../terminal/shell.ts'

/** What Docker Hub is called in references. */
const DOCKER_HUB = 'docker.io'
/** The user name that marks a token of credential helpers. */
const TOKEN_USER = '<token>'
/** Tokens of registries have a few kilobytes. */
const MAX_PASSWORD_BYTES = 1 << 20

/** `tsbuild login` */
export async function runLogin(args: Arguments, shell: Shell): Promise<number> {
  const registry = registryArgument(args, 'tsbuild login [flags] [REGISTRY]')
  const credentials = await readCredentials(args, shell)
  const network = await networkSettings(args, shell)
  const store = defaultCredentials(shell.env, network)
  await using client = createRegistryClient({
    credentials: store,
    environment: shell.env,
    authorities: network.registryAuthorities,
    insecure: network.insecureRegistries,
    onWarning: (message) => note(shell, `WARNING: ${message}`),
  })
  await client.ping(registry, credentials, { signal: shell.signal })
  const { clearTextFile } = await store.set(registry, credentials)
  if (clearTextFile !== undefined) {
    note(
      shell,
      `WARNING: the password is stored unencrypted in ${clearTextFile}; a credential helper`,
    )
    note(shell, 'would keep it safe: see credsStore in the documentation of docker login')
  }
  await print(shell, `logged in to ${registry} as ${credentials.username}\n`)
  return 0
}

/** `tsbuild logout` */
export async function runLogout(args: Arguments, shell: Shell): Promise<number> {
  const registry = registryArgument(args, 'tsbuild logout [REGISTRY]')
  const network = await networkSettings(args, shell)
  const erased = await defaultCredentials(shell.env, network).erase(registry)
  await print(shell, erased ? `logged out of ${registry}\n` : `not logged in to ${registry}\n`)
  return 0
}

/** A host as references have it; a URL's scheme and path, which docker takes too, are dropped. */
function registryArgument(args: Arguments, usage: string): string {
  const [given = DOCKER_HUB] = expectArguments(args, { least: 0, most: 1, usage })
  const host = given.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  if (['docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host)) return DOCKER_HUB
  try {
    const { registry } = parseReference(`${host}/x/y`)
    if (registry === host) return registry
  } catch (cause) {
    throw new TsbuildError(`invalid registry "${withoutCredentials(given)}"`, {
      code: 'REFERENCE_INVALID',
      cause,
      hint: 'write HOST or HOST:PORT',
    })
  }
  throw new TsbuildError(`invalid registry "${withoutCredentials(given)}"`, {
    code: 'REFERENCE_INVALID',
    hint: 'write HOST or HOST:PORT; a host has a dot or a port, or is localhost',
  })
}

type LoginCredentials = Exclude<StoredCredentials, { readonly kind: 'registry-token' }>

async function readCredentials(args: Arguments, shell: Shell): Promise<LoginCredentials> {
  const given = args.text('username')
  const fromStdin = args.has('password-stdin')
  const onCommandLine = args.text('password')
  if (fromStdin && onCommandLine !== undefined) {
    throw usageError('--password and --password-stdin exclude each other')
  }
  if (fromStdin && given === undefined) {
    throw usageError('--password-stdin needs a user name', 'add --username NAME')
  }
  const canAsk = shell.stdin.isTTY === true
  if (!canAsk && (given === undefined || (onCommandLine === undefined && !fromStdin))) {
    throw usageError(
      'cannot ask for credentials: standard input is not a terminal',
      'use --username NAME --password-stdin',
    )
  }
  if (onCommandLine !== undefined) {
    note(shell, 'WARNING: other users can see a --password; --password-stdin is safer')
  }
  const username = (given ?? (await ask('Username: ', shell))).trim()
  if (username === '') throw usageError('the user name must not be empty')
  const secret =
    onCommandLine ??
    (fromStdin ? await readPasswordStdin(shell) : await askSecret('Password: ', shell))
  if (secret === '') throw usageError('the password must not be empty')
  return username === TOKEN_USER
    ? { kind: 'identity-token', username, token: secret }
    : { kind: 'password', username, password: secret }
}

/** One newline at the end belongs to `echo`, not to the password. */
async function readPasswordStdin(shell: Shell): Promise<string> {
  return (await readStandardInput(shell, MAX_PASSWORD_BYTES)).toString().replace(/\r?\n$/, '')
}
