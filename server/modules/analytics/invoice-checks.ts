import { namedByJobs } from './named-by-jobs.ts'

const excess = `(select orders.id as id, orders.secured_fen - orders.refunded_fen - orders.returned_fen as paid,
    (select coalesce(sum(invoice.amount_fen), 0) from invoice
      where invoice.order_id = orders.id and invoice.state in ('requested', 'issuing', 'issued')) as invoiced
  from orders where exists (select 1 from invoice where invoice.order_id = orders.id))`

/** What must hold of invoices: they are their lines, and within what was paid and not refunded. */
export const invoiceChecks = [
  {
    rule: 'an_invoice_is_its_lines',
    query: `select invoice.id as subject, invoice.amount_fen as stored, coalesce(sum(invoice_line.amount_fen), 0) as posted
      from invoice left join invoice_line on invoice_line.invoice_id = invoice.id
      group by invoice.id, invoice.amount_fen having invoice.amount_fen <> coalesce(sum(invoice_line.amount_fen), 0)`,
  },
  {
    // While a refund is under way its red-letter invoice is not written yet; one that was refused hangs for a person.
    rule: 'invoices_of_an_order_are_within_what_is_paid',
    query: `select books.id as subject, books.paid as stored, books.invoiced as posted from ${excess} as books
      where books.invoiced > books.paid
        and not exists (select 1 from refund where refund.order_id = books.id and refund.state in ('requested', 'accepted'))
        and not exists (select 1 from invoice where invoice.order_id = books.id and invoice.state = 'issuing')
        and not exists (select 1 from invoice where invoice.order_id = books.id and invoice.state = 'issued' and invoice.reason is not null)
        and books.id not in ${namedByJobs('order', 'invoice.reverse')}`,
  },
  {
    rule: 'an_invoice_is_numbered_as_it_stands',
    query: `select invoice.id as subject, invoice.amount_fen as stored, 0 as posted from invoice
      where (invoice.state in ('issued', 'reversing', 'red') and (invoice.provider_number is null or invoice.issued_on is null))
        or (invoice.state = 'red' and (invoice.red_number is null or invoice.red_provider_number is null))
        or (invoice.state = 'reversing' and (invoice.red_number is null or invoice.reversed_for is null))
        or (invoice.state = 'issuing' and invoice.body_sealed is null)`,
  },
  {
    rule: 'an_invoice_is_being_worked_on',
    query: `select invoice.id as subject, invoice.amount_fen as stored, 0 as posted from invoice
      where invoice.state in ('requested', 'issuing', 'reversing') and invoice.id not in ${namedByJobs('invoice', 'invoice.issue', 'invoice.poll')}`,
  },
  {
    rule: 'what_remains_of_a_reversed_invoice_is_no_more_than_it_was',
    query: `select invoice.id as subject, earlier.amount_fen as stored, invoice.amount_fen as posted
      from invoice join invoice earlier on earlier.id = invoice.reissue_of
      where invoice.amount_fen > earlier.amount_fen or invoice.order_id <> earlier.order_id
        or earlier.state not in ('red', 'rejected')`,
  },
] as const
