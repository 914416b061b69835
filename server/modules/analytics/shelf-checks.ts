/**
 * What must hold between listings, what orders took of them, cards that were made of it, and numbers of series. That no more is
 * taken than there is the tables themselves refuse (`listing_never_oversold`).
 */
export const shelfChecks = [
  {
    rule: 'a_listing_counts_what_orders_took',
    unit: 'heads',
    query: `select listing.id as subject, listing.taken as stored, coalesce(counted.takings, 0) as posted
      from listing left join (select listing_id, count(*) as takings from listing_taking where state <> 'returned'
        group by listing_id) as counted on counted.listing_id = listing.id
      where listing.taken <> coalesce(counted.takings, 0)`,
  },
  {
    rule: 'a_listing_counts_what_it_sold',
    unit: 'heads',
    query: `select listing.id as subject, listing.sold as stored, coalesce(counted.takings, 0) as posted
      from listing left join (select listing_id, count(*) as takings from listing_taking where state = 'sold'
        group by listing_id) as counted on counted.listing_id = listing.id
      where listing.sold <> coalesce(counted.takings, 0)`,
  },
  {
    rule: 'a_time_boxed_price_counts_its_takings',
    unit: 'heads',
    query: `select listing.id as subject, listing.promo_taken as stored, coalesce(counted.takings, 0) as posted
      from listing left join (select listing_id, promo_number, count(*) as takings from listing_taking
        where state <> 'returned' and promo_number is not null group by listing_id, promo_number) as counted
        on counted.listing_id = listing.id and counted.promo_number = listing.promo_number
      where listing.promo_taken <> coalesce(counted.takings, 0)`,
  },
  {
    // Numbers of one series are all different, so as many as the last one says are all of them.
    rule: 'a_series_is_numbered_without_a_gap',
    unit: 'heads',
    query: `select listing.id as subject, listing.numbered as stored, coalesce(given.numbers, 0) as posted
      from listing left join (select listing_id, count(*) as numbers, min(number) as first, max(number) as last
        from series_number group by listing_id) as given on given.listing_id = listing.id
      where listing.numbered <> coalesce(given.numbers, 0) or listing.numbered <> coalesce(given.last, 0)
        or coalesce(given.first, 1) <> 1`,
  },
  {
    rule: 'a_number_is_of_a_card_of_its_series',
    unit: 'heads',
    query: `select series_number.order_item_id as subject, series_number.number as stored, 0 as posted
      from series_number left join order_item on order_item.id = series_number.order_item_id
      left join card on card.order_item_id = series_number.order_item_id
      where card.id is null or coalesce(order_item.listing_id, '') <> series_number.listing_id`,
  },
  {
    rule: 'a_sold_taking_has_its_card',
    unit: 'heads',
    query: `select listing_taking.id as subject, 1 as stored, 0 as posted
      from listing_taking left join order_item on order_item.order_id = listing_taking.order_id
        and order_item.listing_id = listing_taking.listing_id
      left join card on card.order_item_id = order_item.id
      where listing_taking.state in ('sold', 'retired') and card.id is null`,
  },
  {
    // What went back is for others: its card is nobody's any more.
    rule: 'a_card_of_the_shelf_was_taken',
    unit: 'heads',
    query: `select card.id as subject, 1 as stored, 0 as posted
      from order_item join card on card.order_item_id = order_item.id
      left join listing_taking on listing_taking.order_id = order_item.order_id
        and listing_taking.listing_id = order_item.listing_id
      where order_item.listing_id is not null and (listing_taking.id is null or listing_taking.state = 'held'
        or (listing_taking.state in ('returned', 'retired') and card.state not in ('refunded', 'void')))`,
  },
  {
    rule: 'an_order_that_is_over_holds_nothing_of_the_shelf',
    unit: 'heads',
    query: `select listing_taking.id as subject, 1 as stored, 0 as posted
      from listing_taking join orders on orders.id = listing_taking.order_id
      where (listing_taking.state = 'held' and orders.state in ('cancelled', 'refunded', 'issued', 'closed'))
        or (listing_taking.state = 'sold' and orders.state in ('cancelled', 'refunded'))`,
  },
] as const
