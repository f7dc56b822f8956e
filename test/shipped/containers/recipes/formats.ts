/** The documents of CI systems, as far as the recipes use them. */
import type { PodSpec } from './pod.ts'

/** `.gitlab-ci.yml` with one job. */
export interface GitLabConfig {
  readonly image: {
    readonly image: { readonly name: string; readonly entrypoint: readonly string[] }
    readonly script: readonly string[]
  }
}

/** A workflow of GitHub with one job of two steps. */
export interface Workflow {
  readonly jobs: {
    readonly image: {
      readonly steps: readonly [
        unknown,
        { readonly run: string; readonly env: Readonly<Record<string, string>> },
      ]
    }
  }
}

/** A pod of Kubernetes. */
export interface Pod {
  readonly spec: PodSpec
}

/** A task of Tekton with one step. */
export interface Task {
  readonly spec: {
    readonly steps: readonly [PodSpec['containers'][0] & { readonly workingDir: string }]
  }
}

/** `config.yml` of CircleCI with one job. */
export interface CircleConfig {
  readonly jobs: {
    readonly image: {
      readonly docker: readonly [{ readonly image: string }]
      readonly shell: string
      readonly steps: readonly (string | { readonly run: string })[]
    }
  }
}
