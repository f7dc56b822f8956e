/** All that lasts of a volume besides its files. */
export interface VolumeRecord {
  /** Its name, which is one of a file. */
  readonly id: string
  /** RFC 3339. */
  readonly created: string
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly options?: Readonly<Record<string, string>> | undefined
}

/** Docker's mark of a volume that nobody has named. */
export const ANONYMOUS = 'com.docker.volume.anonymous'

export function isAnonymous({ labels = {} }: VolumeRecord): boolean {
  return Object.hasOwn(labels, ANONYMOUS)
}
