/** What a log can say of its container. */
export interface LoggedContainer {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** Without a slash. */
  readonly name: string
  /** `sha256:` and 64 hexadecimal digits. */
  readonly imageId: string
  /** As the user named it. */
  readonly imageName: string
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** `NAME=value`. */
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}
