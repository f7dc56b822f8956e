import { TsbuildError } from '#core'
import { type TmpfsSettings, tmpfsSettings } from './tmpfs-options.ts'

/** Where the files of a volume are. */
export type VolumeSource =
  | { readonly kind: 'folder' }
  | {
      readonly kind: 'bind'
      readonly device: string
      readonly isReadonly: boolean
      /** What is mounted below the device is shown, too. */
      readonly isRecursive: boolean
    }
  | { readonly kind: 'tmpfs'; readonly settings: TmpfsSettings }

const KNOWN = ['type', 'o', 'device', 'size']

/**
 * What the options of docker's driver `local` mean. Folders of this machine and file systems in memory are
 * mounted; for others a program of the machine would be needed.
 * @throws {TsbuildError} USAGE in docker's words, UNSUPPORTED
 */
export function volumeSource(options: Readonly<Record<string, string>> = {}): VolumeSource {
  const names = Object.keys(options)
  if (names.length === 0) return { kind: 'folder' }
  const unknown = names.find((name) => !KNOWN.includes(name))
  if (unknown !== undefined) throw usageError(`invalid option: ${JSON.stringify(unknown)}`)
  if (options.size !== undefined) throw usageError('quota size requested but no quota support')
  const missing = ['device', 'type'].find((name) => options[name] === undefined)
  if (missing !== undefined) throw usageError(`missing required option: "${missing}"`)
  const { type = '', device = '', o = '' } = options
  const words = o === '' ? [] : o.split(',')
  if (words.includes('bind') || words.includes('rbind')) {
    if (!device.startsWith('/')) throw usageError(`the device is no absolute path: "${device}"`)
    const isRecursive = words.includes('rbind')
    return { kind: 'bind', device, isReadonly: words.includes('ro'), isRecursive }
  }
  if (type === 'tmpfs') return { kind: 'tmpfs', settings: tmpfsSettings(words, []) }
  throw new TsbuildError(`volumes of type "${type}" are not mounted`, {
    code: 'UNSUPPORTED',
    hint: 'mount it on the host, and name the folder: type=none, o=bind, device=/FOLDER; or use type=tmpfs',
  })
}

function usageError(message: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE' })
}
