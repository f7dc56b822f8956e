/** What a package URL says besides its type. */
export interface PackageUrlParts {
  /** Parts are separated by slashes. */
  readonly namespace?: string | undefined
  readonly name: string
  readonly version?: string | undefined
  /** Absent or empty values are left out. */
  readonly qualifiers?: Readonly<Record<string, string | undefined>>
}

/** The name of a package in all systems of packages. Spec: purl-spec, PURL-SPECIFICATION.rst */
export function packageUrl(type: string, parts: PackageUrlParts): string {
  const { namespace, name, version, qualifiers = {} } = parts
  const path = [...(namespace === undefined ? [] : namespace.split('/')), name]
  const shown = Object.entries(qualifiers)
    .flatMap(([key, value]) => (value ? [`${key}=${encodeURIComponent(value)}`] : []))
    .sort()
  const query = shown.length === 0 ? '' : `?${shown.join('&')}`
  const at = version ? `@${encodeURIComponent(version)}` : ''
  return `pkg:${type}/${path.map(encodeURIComponent).join('/')}${at}${query}`
}
