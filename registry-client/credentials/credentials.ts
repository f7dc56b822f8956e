/** What authenticates a user at a registry. */
export type Credentials = StoredCredentials | DelegatedCredentials

/** What can be kept in a file, or by a helper. */
export type StoredCredentials =
  | PasswordCredentials
  /** An OAuth2 refresh token, exchanged for access tokens. */
  | { readonly kind: 'identity-token'; readonly username: string; readonly token: string }
  /** A ready access token, sent to the registry as it is. */
  | { readonly kind: 'registry-token'; readonly token: string }

/** The secrets are elsewhere, where access tokens are fetched. */
export interface DelegatedCredentials {
  readonly kind: 'delegated'
  readonly fetchToken: (request: TokenRequest) => Promise<FetchedToken>
  /** Asked for where a registry has no tokens. */
  readonly password: () => Promise<PasswordCredentials | undefined>
}

/** A user and a password. */
export interface PasswordCredentials {
  readonly kind: 'password'
  readonly username: string
  readonly password: string
}

/** What an access token is asked for with. Spec: distribution token specification */
export interface TokenRequest {
  readonly clientId: string
  readonly realm: string
  readonly service: string | undefined
  readonly scopes: readonly string[]
}

/** An access token. */
export interface FetchedToken {
  readonly text: string
  /** How long it is valid from now on; 0: that is not known. */
  readonly seconds: number
}

/** Keeps credentials by registry. Hosts are those of references: `docker.io`, `host:port`. */
export interface CredentialStore {
  /** `undefined`: the registry is used anonymously. */
  get(registryHost: string): Promise<Credentials | undefined>
  /** Stores credentials; names the file, where it holds them as plain text. */
  set(
    registryHost: string,
    credentials: StoredCredentials,
  ): Promise<{ readonly clearTextFile?: string }>
  /** Removes credentials; false when there are none. */
  erase(registryHost: string): Promise<boolean>
}
