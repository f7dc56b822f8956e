/** The answer to a refused request. Spec of all: draft-ietf-sshm-ssh-agent section 3 */
export const FAILURE = 5
/** Asks for the public keys. */
export const REQUEST_IDENTITIES = 11
/** The public keys, with comments. */
export const IDENTITIES_ANSWER = 12
/** Asks for a signature by one of the keys. */
export const SIGN_REQUEST = 13
/** A signature. */
export const SIGN_RESPONSE = 14

/** Bytes of a message; the limit of OpenSSH. */
export const MAX_MESSAGE: number = 256 * 1024

/** Answers requests, each with one reply, both without the length in front. */
export interface Agent extends Disposable {
  /** Rejects when the agent ends the conversation. */
  ask(request: Buffer): Promise<Buffer>
}
