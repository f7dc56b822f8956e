/** What of a client's folder is wanted. */
export interface FolderRequest {
  /** As the client knows it. */
  readonly name: string
  /** Patterns as in an ignore file. */
  readonly excludes?: readonly string[]
  /** Paths that are wanted, with what links in them lead to; absent: all. */
  readonly paths?: readonly string[]
}

const ASCII = /^[\x20-\x7e]*$/

/**
 * Says to a client what of its folder is wanted. Spec: BuildKit, session/filesync
 * @returns metadata of the call
 */
export function folderMetadata({
  name,
  excludes,
  paths,
}: FolderRequest): Readonly<Record<string, readonly string[]>> {
  return {
    ...values('dir-name', [name]),
    ...values('exclude-patterns', excludes ?? []),
    ...values('followpaths', paths ?? []),
  }
}

/** Headers take ASCII only: where one value is not, all of its key are encoded. */
function values(key: string, texts: readonly string[]): Record<string, readonly string[]> {
  if (texts.length === 0) return {}
  if (texts.every((text) => ASCII.test(text))) return { [key]: texts }
  const encoded = texts.map((text) => encodeURIComponent(text).replaceAll('%20', '+'))
  return { [key]: encoded, [`${key}-encoded`]: ['1'] }
}
