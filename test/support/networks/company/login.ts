/** A user of a registry or of a proxy. */
export interface Login {
  readonly user: string
  readonly password: string
}

/** As headers and docker's `auths` have it. Spec: RFC 7617 */
export function basicAuth({ user, password }: Login): string {
  return Buffer.from(`${user}:${password}`).toString('base64')
}
