import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'

/**
 * What a code of WeCom on sending means for the people of the call. `soon`: nobody was reached, try again in a while;
 * `tomorrow`: the app's quota of the day is used up. With `breaks` the connection itself is at fault: nothing more is
 * sent through it until a person mends it.
 */
export type CodeMeaning =
  { readonly wait: 'soon' | 'tomorrow' } | { readonly reason: DeliveryReason; readonly breaks?: true }

const soon: CodeMeaning = { wait: 'soon' }
const because = (reason: DeliveryReason): CodeMeaning => ({ reason })
const breaking = (reason: DeliveryReason): CodeMeaning => ({ reason, breaks: true })

/** Codes by what they mean on message/send; those that only other calls answer are not here. Protocols wecom 9. */
const groups: readonly (readonly [CodeMeaning, readonly number[]])[] = [
  [soon, [-1, 6000, 40014, 42001, 40082, 42009, 40085, 45033, 45035, 45036]],
  [{ wait: 'tomorrow' }, [45009]],
  [breaking('app_not_connected'), [40001, 40013, 40091, 40056, 301002, 40084, 48004]],
  [breaking('app_disabled'), [50003, 60031, 301007]],
  [breaking('permission_missing'), [48001, 48002, 48006, 48011]],
  [breaking('address_not_trusted'), [48009, 60020]],
  [breaking('domain_not_trusted'), [50001, 80001]],
  [because('not_visible'), [81013, 60011, 60021, 50002, 92000, 92002, 92003]],
  [because('no_wecom_account'), [40003, 46004, 60111]],
  [because('unlicensed'), [701008, 701099]],
  [because('content_refused'), [82004]],
  // Mistakes of ours in the message: a repeat of the same one changes nothing.
  [
    because('refused_by_wecom'),
    [
      40007, 40145, 40031, 40032, 40058, 40063, 40035, 42014, 42016, 60140, 60003, 60123, 82001, 81012, 82002, 82003,
      90206, 90207, 90208, 91040, 43004,
    ],
  ],
]
const meanings = new Map(groups.flatMap(([meaning, codes]) => codes.map((code) => [String(code), meaning] as const)))

/** The meaning of a code on sending; null for one that nobody told us: it is taken as a refusal and looked at. */
export function meaningOfCode(code: string): CodeMeaning | null {
  return meanings.get(code) ?? null
}
