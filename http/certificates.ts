/** What connections over TLS to one host use besides the authorities that Node and the machine know. In PEM. */
export interface HostCertificates {
  readonly authorities: readonly string[]
  /** Certificates of this client, each with its key. */
  readonly clients: readonly { readonly cert: string; readonly key: string }[]
}
