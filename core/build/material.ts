/** Something from elsewhere that the result of a build is made of. */
export interface Material {
  readonly kind: 'image' | 'http' | 'git'
  /**
   * Without credentials: the name of an image with the digest that it stood for, the URL of a file, or
   * the remote of a commit with its ref and folder.
   */
  readonly reference: string
  /** Of the manifest of an image, or of the bytes of a file; of a commit its whole hash. */
  readonly digest: string
  /** `os/architecture[/variant]` of an image. */
  readonly platform?: string
}

/** The materials, each once, in an order that depends on nothing but what they are. */
export function sortMaterials(materials: readonly Material[]): readonly Material[] {
  const byText = new Map(materials.map((one) => [textOf(one), one]))
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, material]) => material)
}

function textOf({ kind, reference, digest, platform = '' }: Material): string {
  return JSON.stringify([kind, reference, platform, digest])
}
