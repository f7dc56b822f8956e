import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseBoolean, unsupportedError, usageError } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'

/** Where the files of a build come from. */
export type KanikoContext =
  | { readonly kind: 'folder'; readonly path: string }
  /** A repository or a URL, as `BuildOptions.context` takes it. */
  | { readonly kind: 'address'; readonly address: string }
  /** The archive in a file. */
  | { readonly kind: 'archive'; readonly path: string }
  | { readonly kind: 'stdin' }

const DEFAULT = '/workspace/'
const KINDS =
  'write dir://FOLDER, tar://FILE, git://HOST/PATH, https://URL, or - for standard input'

/**
 * The context that `--context` names; `--git` says more about a repository.
 * @throws {TsbuildError} USAGE, UNSUPPORTED
 */
export function parseKanikoContext(args: Arguments, env: Shell['env']): KanikoContext {
  const text = args.text('context') ?? DEFAULT
  if (text === '') throw usageError('the context must not be empty', KINDS)
  if (text === '-' || text === 'tar://stdin') return { kind: 'stdin' }
  const [, prefix, rest = ''] = /^([a-z0-9]+:\/\/)(.*)$/is.exec(text) ?? []
  switch (prefix) {
    case undefined:
      return { kind: 'folder', path: text }
    case 'dir://':
      return { kind: 'folder', path: rest }
    case 'tar://':
      return { kind: 'archive', path: rest }
    case 'git://':
      return { kind: 'address', address: gitAddress(rest, args, env) }
    case 'https://':
      return { kind: 'address', address: text }
    case 'gs://':
    case 's3://':
      throw unsupportedError(
        `a context in a bucket is not supported: ${text}`,
        'fetch the archive first, and give it with --context tar://FILE',
      )
    default:
      throw usageError(`unknown build context prefix provided: ${prefix}`, KINDS)
  }
}

/** Where the Dockerfile is. Neither: it is the context's own. */
export interface KanikoDockerfile {
  /** As `BuildOptions.file`. */
  readonly file?: string
  /** The path of one beside a context that is yet to be fetched. */
  readonly besidePath?: string
}

/** The Dockerfile that is meant: a path that exists from here comes before one in the context, as in kaniko. */
export function locateDockerfile(args: Arguments, context: KanikoContext): KanikoDockerfile {
  const given = args.text('dockerfile') || undefined
  const file = given ?? 'Dockerfile'
  if (/^https?:\/\//.test(file)) return { file }
  const isHere = existsSync(file)
  if (context.kind !== 'folder' && isHere) return { besidePath: file }
  if (context.kind !== 'folder' || isHere) return given === undefined && !isHere ? {} : { file }
  const subPath = args.text('context-sub-path') ?? ''
  return given === undefined ? {} : { file: join(context.path, subPath, file) }
}

/** `HOST/PATH#REF#COMMIT` as an address of tsbuild. The files of `.git` belong to such a context. */
function gitAddress(text: string, args: Arguments, env: Shell['env']): string {
  const [repository = '', ref = '', commit = ''] = text.split('#')
  const { branch, submodules } = parseGitFlags(args.list('git'))
  const method = env.GIT_PULL_METHOD === 'http' ? 'http' : 'https'
  const url = `${method}://${repository}`
  if (!URL.canParse(url)) throw usageError(`invalid git context "git://${text}"`, KINDS)
  const address = new URL(url)
  const { GIT_TOKEN = '', GIT_USERNAME = '', GIT_PASSWORD = '' } = env
  if (GIT_TOKEN !== '' || GIT_USERNAME !== '' || GIT_PASSWORD !== '') {
    address.username = GIT_TOKEN || GIT_USERNAME
    address.password = GIT_TOKEN === '' ? GIT_PASSWORD : ''
  }
  const wanted = commit || branch || ref
  if (wanted !== '') address.searchParams.set('ref', wanted)
  address.searchParams.set('submodules', String(submodules))
  address.searchParams.set('keep-git-dir', 'true')
  return `git+${address.href}`
}

function parseGitFlags(values: readonly string[]): { branch: string; submodules: boolean } {
  const found = { branch: '', submodules: false }
  for (const value of values) {
    const [, key, text = ''] = /^([a-z-]+)=(.*)$/s.exec(value) ?? []
    if (key === 'branch') found.branch = text
    else if (key === 'recurse-submodules') found.submodules = gitSwitch(value, text)
    else if (key === 'insecure-skip-tls') refuseInsecure(gitSwitch(value, text))
    else if (key === 'single-branch') gitSwitch(value, text)
    else throw usageError(`invalid --git "${value}"`, GIT_HINT)
  }
  return found
}

const GIT_HINT =
  'write --git branch=NAME, --git recurse-submodules=true or --git single-branch=true'

function gitSwitch(value: string, text: string): boolean {
  const found = parseBoolean(text)
  if (found === undefined) throw usageError(`invalid --git "${value}"`, GIT_HINT)
  return found
}

function refuseInsecure(isWanted: boolean): void {
  if (!isWanted) return
  const hint = 'add the certificate to /kaniko/ssl/certs'
  throw unsupportedError('--git insecure-skip-tls=true is not supported', hint)
}
