/** How one page leads to the next, as people declare it. */

/** Where a parameter goes. Default `query` for GET, `body` for POST. */
export type ParameterPlace = "query" | "body" | "header";

/**
 * What most kinds share: where the value goes. Without `param`, a template must hold it (`/items/page/{page}`).
 * A dot in the name of a JSON body's member goes deeper: `variables.after`.
 */
type Sent = Readonly<{ param?: string; in?: ParameterPlace }>;

/** Ways in which a numbered sequence says where it ends. */
type Counted = Readonly<{
  /** Path of the number of records in all. Asking ends there; pages can be fetched at once. */
  totalPath?: string;
  /** Path of a boolean that is true as long as there is more. */
  hasMorePath?: string;
  /**
   * Whether a page with fewer records than its size is the last. Default false: the sequence then ends with an empty page,
   * which costs a request and loses nothing where a partner gives less than it was asked for.
   */
  endsWhenShort?: boolean;
}>;

/** Paths are dotted, into the answer without its records: `meta.next`. */
export type PaginationDeclaration =
  /** One answer holds everything. */
  | Readonly<{ type: "single" }>
  /** A `Link` header with `rel="next"`; none: the end. Trusted to be stable. */
  | Readonly<{ type: "linkHeader"; rel?: string }>
  /** The next page's address in the body, relative or whole; missing, null or "": the end. Trusted. */
  | Readonly<{ type: "nextUrl"; path: string }>
  /** A token in the body or a header that the next request sends; missing, null or "": the end. Trusted. */
  | (Sent & Readonly<{ type: "cursorToken"; path?: string; header?: string; hasMorePath?: string }>)
  /**
   * Numbered pages, from `first` (default 1). Stable only within a range that has an end and a total (`settled`); else
   * every range is read until two passes agree (`passes`).
   */
  | (Sent &
      Counted &
      Readonly<{
        type: "pageNumber";
        first?: number;
        /** Records a page, and the parameter that asks for it. Default: the partner's. */
        size?: number;
        sizeParam?: string;
        /** Path of the number of pages in all. */
        totalPagesPath?: string;
      }>)
  /**
   * How many records to skip. With a declared `sort`, pages overlap by a record and a shift is noticed (`overlap`); within
   * a range with end and total `settled`; else `passes`.
   */
  | (Sent &
      Counted &
      Readonly<{
        type: "offset";
        /** Records a page, and the parameter that asks for it. Default: the partner's. */
        limit?: number;
        limitParam?: string;
      }>)
  /** The last record's `field` is the next request's parameter; ends with an empty page or `hasMorePath`. Trusted. */
  | (Sent & Readonly<{ type: "lastId"; field: string; hasMorePath?: string }>);
