/** What is asked of clients. Spec: BuildKit, session/{auth,secrets,sshforward}; grpc.health.v1 */
import type { Buffer } from 'node:buffer'
import { bytes, integer, type Message, message, string, stringMap, strings } from './wire.ts'

export interface CredentialsRequest {
  readonly Host: string
}

export const CREDENTIALS_REQUEST: Message<CredentialsRequest> = message({
  Host: string(1),
})

export interface CredentialsResponse {
  readonly Username: string
  readonly Secret: string
}

export const CREDENTIALS_RESPONSE: Message<CredentialsResponse> = message({
  Username: string(1),
  Secret: string(2),
})

export interface FetchTokenRequest {
  readonly ClientID: string
  readonly Host: string
  readonly Realm: string
  readonly Service: string
  readonly Scopes: readonly string[]
}

export const FETCH_TOKEN_REQUEST: Message<FetchTokenRequest> = message({
  ClientID: string(1),
  Host: string(2),
  Realm: string(3),
  Service: string(4),
  Scopes: strings(5),
})

export interface FetchTokenResponse {
  readonly Token: string
  readonly ExpiresIn: number
  readonly IssuedAt: number
}

export const FETCH_TOKEN_RESPONSE: Message<FetchTokenResponse> = message({
  Token: string(1),
  ExpiresIn: integer(2),
  IssuedAt: integer(3),
})

export interface GetTokenAuthorityRequest {
  readonly Host: string
  readonly Salt: Buffer
}

export const GET_TOKEN_AUTHORITY_REQUEST: Message<GetTokenAuthorityRequest> = message({
  Host: string(1),
  Salt: bytes(2),
})

/** @internal */
export interface GetTokenAuthorityResponse {
  readonly PublicKey: Buffer
}

/** Only whether there is an answer is asked. @internal */
export const GET_TOKEN_AUTHORITY_RESPONSE: Message<GetTokenAuthorityResponse> = message({
  PublicKey: bytes(1),
})

export interface GetSecretRequest {
  readonly ID: string
  readonly annotations: ReadonlyMap<string, string>
}

export const GET_SECRET_REQUEST: Message<GetSecretRequest> = message({
  ID: string(1),
  annotations: stringMap(2),
})

export interface GetSecretResponse {
  readonly data: Buffer
}

export const GET_SECRET_RESPONSE: Message<GetSecretResponse> = message({
  data: bytes(1),
})

export interface CheckAgentRequest {
  readonly ID: string
}

export const CHECK_AGENT_REQUEST: Message<CheckAgentRequest> = message({
  ID: string(1),
})

export interface HealthCheckRequest {
  readonly service: string
}

export const HEALTH_CHECK_REQUEST: Message<HealthCheckRequest> = message({
  service: string(1),
})

export interface HealthCheckResponse {
  /** 1: serving */
  readonly status: number
}

export const HEALTH_CHECK_RESPONSE: Message<HealthCheckResponse> = message({
  status: integer(1),
})
