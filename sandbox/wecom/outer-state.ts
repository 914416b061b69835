import { emptyCallbacks, type CallbackState } from './callback-state.ts'
import { emptyCustomers, type CustomerState } from './customer-state.ts'
import { emptyIdentity, type IdentityState } from './identity-state.ts'
import { emptySuites, type SuiteState } from './suite-state.ts'

/** What lies around the companies: addresses that events go to, providers with their suites, people outside. */
export interface OuterState {
  readonly callbacks: CallbackState
  readonly suites: SuiteState
  readonly customers: CustomerState
  readonly identity: IdentityState
}

/** Nothing around the companies yet. */
export function emptyOuter(): OuterState {
  return { callbacks: emptyCallbacks(), suites: emptySuites(), customers: emptyCustomers(), identity: emptyIdentity() }
}
