import { generateKeyFiles, signRemoteImage } from '#builder'
import { usageError } from '#core'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { parseAnnotations } from '../arguments/sign-values.ts'
import { keyPassword } from '../io/key-password.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { withProgress } from './with-progress.ts'

/** `tsbuild sign` */
export async function runSign(args: Arguments, shell: Shell): Promise<number> {
  const prefix = args.text('generate-key')
  if (prefix !== undefined) return await generate(prefix, args, shell)
  const usage = 'tsbuild sign --key FILE [flags] NAME[:TAG|@DIGEST]'
  const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
  const files = args.list('key')
  if (files.length === 0) {
    const hint = 'add --key FILE; tsbuild sign --generate-key PREFIX makes a key pair'
    throw usageError('there is no key to sign with', hint)
  }
  const annotations = parseAnnotations(args.list('annotation'))
  const isPiped = args.has('password-stdin')
  const password = (): Promise<string> => keyPassword(shell, { isPiped })
  const keys = files.map((key) => ({ key, password, annotations }))
  const signed = await withProgress(args, shell, (options) =>
    signRemoteImage({ ...options, name, keys }),
  )
  const { digest } = signed
  await print(shell, args.has('quiet') ? `${digest}\n` : `${signed.name}: signed: ${digest}\n`)
  return 0
}

async function generate(prefix: string, args: Arguments, shell: Shell): Promise<number> {
  expectArguments(args, { least: 0, most: 0, usage: 'tsbuild sign --generate-key PREFIX' })
  if (prefix === '') throw usageError('the prefix of a key pair must not be empty')
  const isPiped = args.has('password-stdin')
  const password = await keyPassword(shell, { isPiped, isNew: true })
  const { privateKey, publicKey } = await generateKeyFiles(prefix, password)
  await print(shell, `private key: ${privateKey}\npublic key:  ${publicKey}\n`)
  return 0
}
