/** Messages of the agent protocol that are used here. Spec: draft-ietf-sshm-ssh-agent section 3 */
export const FAILURE = 5
export const REQUEST_IDENTITIES = 11
export const IDENTITIES_ANSWER = 12
export const SIGN_REQUEST = 13
export const SIGN_RESPONSE = 14

/** As OpenSSH has it. */
export const MAX_MESSAGE: number = 256 * 1024

/** Answers requests, each with one reply, both without the length in front. */
export interface Agent extends Disposable {
  ask(request: Buffer): Promise<Buffer>
}
