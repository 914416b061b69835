import { custodyPercent } from '../../../contract/operator/filing.ts'
import { prepaidKinds } from '../compliance/read-prepaid.ts'

const percent = `case class ${Object.entries(custodyPercent)
  .map(([name, value]) => `when '${name}' then ${value}`)
  .join(' ')} else 0 end`
const known = Object.keys(prepaidKinds)
  .map((kind) => `'${kind}'`)
  .join(', ')

/** What must hold between custody statements, the ledger, and each other. */
export const custodyChecks = [
  {
    // What is rolled forward day by day is what adding up the whole account gives.
    rule: 'the_newest_custody_statement_is_the_whole_account',
    query: `select books.subject, books.stored, books.posted from (select statement.brand_id as subject,
        statement.balance_fen as stored, (select coalesce(sum(posting.amount), 0) from posting
          join entry on entry.id = posting.entry_id where posting.unit = 'VALUE' and posting.account = STATEMENT_CARDS
            and entry.at_ms < statement.to_ms) as posted
      from custody_statement as statement join (select brand_id, max(day) as day from custody_statement
        group by brand_id) as newest on newest.brand_id = statement.brand_id and newest.day = statement.day) as books
      where books.stored <> books.posted`,
  },
  {
    rule: 'a_custody_statement_begins_where_the_day_before_ended',
    query: `select statement.id as subject, statement.begin_fen as stored, coalesce(earlier.balance_fen, 0) as posted
      from custody_statement as statement left join custody_statement as earlier
        on earlier.brand_id = statement.brand_id and earlier.to_ms = statement.from_ms
      where statement.begin_fen <> coalesce(earlier.balance_fen, 0)`,
  },
  {
    rule: 'a_custody_statement_adds_up',
    query: `select id as subject, balance_fen as stored, begin_fen + issued_fen - redeemed_fen - refunded_fen as posted
      from custody_statement where balance_fen <> begin_fen + issued_fen - redeemed_fen - refunded_fen`,
  },
  {
    rule: 'required_custody_is_its_share_of_the_quarter',
    query: `select id as subject, required_fen as stored, quarter_fen as posted from custody_statement
      where required_fen * 100 < quarter_fen * (${percent}) or required_fen * 100 >= quarter_fen * (${percent}) + 100`,
  },
  {
    rule: 'a_shortfall_is_what_is_missing',
    query: `select id as subject, shortfall_fen as stored,
        required_fen - coalesce(confirmed_fen, 0) - guarantee_fen as posted
      from custody_statement where shortfall_fen <> case
        when required_fen > coalesce(confirmed_fen, 0) + guarantee_fen
        then required_fen - coalesce(confirmed_fen, 0) - guarantee_fen else 0 end`,
  },
  {
    rule: 'prepaid_value_moves_by_kinds_that_statements_know',
    query: `select entry.id as subject, 0 as stored, sum(posting.amount) as posted
      from posting join entry on entry.id = posting.entry_id
      where posting.unit = 'VALUE' and posting.account like 'cards:%' and entry.kind not in (${known}) group by entry.id`,
  },
] as const
