/** What a list of packages says besides them. */
export interface DocumentOptions {
  /** Of what they are the packages: the package URL of an image, or `_`. */
  readonly name: string
  readonly createdAt: Date
}

/** Who makes the list. */
export const TOOL = 'tsbuild'
