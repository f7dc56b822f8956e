/** What authenticates a user at a registry. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, exchanged for access tokens. */
  | { readonly kind: 'identity-token'; readonly username: string; readonly token: string }
  /** A ready access token, sent to the registry as it is. */
  | { readonly kind: 'registry-token'; readonly token: string }

/** Keeps credentials by registry. Hosts are those of references: `docker.io`, `host:port`. */
export interface CredentialStore {
  /** `undefined`: the registry is used anonymously. */
  get(registryHost: string): Promise<Credentials | undefined>
  /** Stores credentials; names the file, where it holds them as plain text. */
  set(registryHost: string, credentials: Credentials): Promise<{ readonly clearTextFile?: string }>
  /** Removes credentials; false when there are none. */
  erase(registryHost: string): Promise<boolean>
}
