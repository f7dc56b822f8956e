/**
 * Text in which the user, the password and what else looks like a credential of every URL is crossed
 * out: user and password as BuildKit does it, and secrets in the query or the fragment.
 */
export function withoutCredentials(text: string): string {
  return text
    .replace(USER, (_, scheme: string, user: string) =>
      user.includes(':') ? `${scheme}xxxxx:xxxxx@` : `${scheme}xxxxx@`,
    )
    .replace(URL_TEXT, (url) =>
      url.replace(PARAMETER, (parameter, name: string, value: string) =>
        isCredential(decoded(name), decoded(value)) ? `${name}xxxxx` : parameter,
      ),
    )
}

/** Up to the last @ of the host: a password may have one. URLs are read with any number of slashes. */
const USER = /\b([a-z][a-z0-9+.-]*:[/\\]{2,})([^\s/?#\\]*)@/gi
/** What is quoted ends with its quote, whatever follows without a blank. */
const URL_TEXT = new RegExp(
  [
    /"SCHEME(?:[^\s"]+|(?<=\\)"|"(?![\s,\]]|$))*/,
    /'SCHEME(?:[^\s']+|'(?![\s,\]]|$))*/,
    /\bSCHEME\S*/,
  ]
    .map(({ source }) => source.replace('SCHEME', '[a-z][a-z0-9+.-]*:[/\\\\]{2,}'))
    .join('|'),
  'gi',
)
/** A name with its separators, and a value. */
const PARAMETER = /([?&;#][^?&;#=]*=)([^&;#]*)/g

/** Parts of the names of parameters; `sig` and `key` only as words. */
const SECRET_NAME =
  /token|secret|passw|passphrase|pwd|signature|credential|auth(?!ors?=?$)|api.?key|access.?key|private|jwt|session|hdne|(?:^|[-_.])(?:sig|sas|key|pass|code)=?$/i
/** Tokens that show what they are, as those of GitHub, GitLab, Slack, Amazon or Google, and any JWT. */
const SECRET_VALUE =
  /^(?:gh[opusr]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]-|npm_|hf_|dckr_|sk-|AKIA|ASIA|AIza|ya29\.|eyJ)[\w.-]{8,}/

/** Whether a variable of an environment is probably a secret, by its name or by what its value looks like. */
export function isSecretVariable(name: string, value: string): boolean {
  return SECRET_NAME.test(name) || SECRET_VALUE.test(value)
}

function isCredential(name: string, value: string): boolean {
  return value !== '' && isSecretVariable(name.slice(1), value)
}

/** Percent-encoding undone where it is valid. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
