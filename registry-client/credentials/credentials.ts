/** What a registry wants to know about a user. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, exchanged for access tokens. */
  | { readonly kind: 'identity-token'; readonly username: string; readonly token: string }
  /** A ready access token, sent to the registry as it is. */
  | { readonly kind: 'registry-token'; readonly token: string }

/** Who the user is at which registry. Hosts are those of references: `docker.io`, `host:port`. */
export interface CredentialStore {
  /** `undefined`: go anonymously. */
  get(registryHost: string): Promise<Credentials | undefined>
  /** Says in which file they are now as plain text, where they are. */
  set(registryHost: string, credentials: Credentials): Promise<{ readonly clearTextFile?: string }>
  /** True when there was something to erase. */
  erase(registryHost: string): Promise<boolean>
}
