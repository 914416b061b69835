/** What must hold between wallets, credit lines, budgets, what campaigns hold of them, and the ledger. */
export const walletChecks = [
  {
    rule: 'what_a_budget_holds_is_its_holds',
    query: `select budget.id as subject, budget.held_fen as stored,
        coalesce(sum(budget_hold.fen - budget_hold.released_fen), 0) as posted
      from budget left join budget_hold on budget_hold.budget_id = budget.id and budget_hold.state = 'held'
      group by budget.id, budget.held_fen
      having budget.held_fen <> coalesce(sum(budget_hold.fen - budget_hold.released_fen), 0)`,
  },
  {
    rule: 'what_is_used_of_a_budget_is_its_holds',
    query: `select budget.id as subject, budget.used_fen as stored,
        coalesce(sum(budget_hold.fen - budget_hold.released_fen), 0) as posted
      from budget left join budget_hold on budget_hold.budget_id = budget.id and budget_hold.state = 'used'
      group by budget.id, budget.used_fen
      having budget.used_fen <> coalesce(sum(budget_hold.fen - budget_hold.released_fen), 0)`,
  },
  {
    rule: 'a_hold_of_a_budget_stands_as_its_campaign',
    query: `select budget_hold.id as subject, budget_hold.fen as stored, budget_hold.released_fen as posted
      from budget_hold left join campaign on campaign.id = budget_hold.campaign_id
      where (budget_hold.state = 'held' and coalesce(campaign.state, '') <> 'in_review')
        or (budget_hold.state = 'used' and coalesce(campaign.state, '') not in ('approved', 'running', 'finished'))
        or (budget_hold.state = 'released' and budget_hold.released_fen <> budget_hold.fen)`,
  },
  {
    rule: 'a_campaign_takes_no_more_of_budgets_than_it_costs',
    query: `select campaign.id as subject, coalesce(campaign.price_total_fen, 0) as stored, sum(budget_hold.fen) as posted
      from campaign join budget_hold on budget_hold.campaign_id = campaign.id and budget_hold.state in ('held', 'used')
      group by campaign.id, campaign.price_total_fen
      having sum(budget_hold.fen) > coalesce(campaign.price_total_fen, 0)`,
  },
  {
    rule: 'what_a_company_owes_is_its_account',
    query: `select credit_line.company_id as subject, credit_line.owed_fen as stored,
        (select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = CREDIT_OWED) as posted
      from credit_line where credit_line.owed_fen
        <> (select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = CREDIT_OWED)`,
  },
  {
    rule: 'what_a_company_owes_is_its_movements',
    query: `select credit_line.company_id as subject, credit_line.owed_fen as stored,
        coalesce(sum(credit_movement.amount_fen), 0) as posted
      from credit_line left join credit_movement on credit_movement.company_id = credit_line.company_id
      group by credit_line.company_id, credit_line.owed_fen
      having credit_line.owed_fen <> coalesce(sum(credit_movement.amount_fen), 0)`,
  },
  {
    rule: 'a_payment_on_credit_is_its_movement',
    query: `select payment.id as subject, payment.paid_fen as stored, coalesce(sum(credit_movement.amount_fen), 0) as posted
      from payment left join credit_movement on credit_movement.company_id = payment.company_id
        and credit_movement.ref = payment.id and credit_movement.kind = 'drawn'
      where payment.source = 'credit_line' and payment.state in ('paid', 'refunding', 'part_refunded', 'refunded')
      group by payment.id, payment.paid_fen
      having payment.paid_fen <> coalesce(sum(credit_movement.amount_fen), 0)`,
  },
  {
    // What was repaid before goes to the wallet.
    rule: 'a_refund_to_credit_is_its_movements',
    query: `select books.subject, books.stored, books.posted from (select refund_part.id as subject, refund_part.fen as stored,
        (select coalesce(sum(amount_fen), 0) from wallet_movement
          where company_id = refund_part.company_id and ref = refund_part.id and kind = 'refunded')
        - (select coalesce(sum(amount_fen), 0) from credit_movement
          where company_id = refund_part.company_id and ref = refund_part.id and kind = 'refunded') as posted
      from refund_part where refund_part.route = 'credit' and refund_part.state = 'done') as books
      where books.stored <> books.posted`,
  },
  {
    rule: 'an_alert_stands_while_a_wallet_is_low',
    query: `select wallet.company_id as subject, wallet.balance_fen as stored, coalesce(wallet.low_fen, 0) as posted
      from wallet left join wallet_alert on wallet_alert.company_id = wallet.company_id and wallet_alert.ended_at_ms is null
      group by wallet.company_id, wallet.balance_fen, wallet.low_fen, wallet.low_alert_id
      having count(wallet_alert.id) <> case when wallet.balance_fen < coalesce(wallet.low_fen, 0) then 1 else 0 end
        or coalesce(max(wallet_alert.id), '') <> coalesce(wallet.low_alert_id, '')`,
  },
] as const
