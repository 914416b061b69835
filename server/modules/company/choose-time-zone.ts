import { readZone } from '../../../contract/wall-clock.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'

/**
 * Sets the zone of the actor's company: where its days begin and what its chosen times mean from now on. Instants that
 * were chosen before stay as they are. Returns the zone as IANA writes it. Refuses a name that is none with
 * `malformed_request`.
 */
export async function chooseTimeZone(tx: Tx, name: string): Promise<string> {
  const companyId = companyOf(tx.actor)
  const zone =
    readZone(name) ??
    refuse('malformed_request', {
      field: 'timeZone',
      detail: {
        zh: '应为 IANA 时区名，例如 Asia/Shanghai。',
        en: 'An IANA name of a time zone is expected, such as Asia/Shanghai.',
      },
    })
  const changed = await change(tx.em, 'update company set time_zone = ? where id = ? and time_zone <> ?', [
    zone,
    companyId,
    zone,
  ])
  if (changed === 1) await trail(tx, { objectId: companyId, act: 'company.time_zone', note: zone })
  return zone
}
