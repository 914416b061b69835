import type { WecomSandbox } from '../sandbox/wecom/server.ts'
import type { LoginAsked } from './login-server.ts'

/** Both sides of a run: the product in a process of its own, WeCom in this one. */
export interface LoginGround {
  readonly serverUrl: string
  readonly box: WecomSandbox
  readonly ask: <T>(asked: LoginAsked) => Promise<T>
  readonly companyOf: (index: number) => LoginCompany
}

/** A company as both sides of a run know it. */
export interface LoginCompany {
  readonly code: string
  readonly corpId: string
  readonly agentId: number
  readonly secret: string
}
