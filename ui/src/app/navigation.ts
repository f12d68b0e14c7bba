/** The places of the console, in five groups. */
import {
  Activity,
  BookOpen,
  CalendarClock,
  Database,
  Download,
  FileStack,
  History,
  House,
  KeyRound,
  type LucideIcon,
  Plug,
  Rocket,
  Settings,
  SquareTerminal,
  Table2,
  TriangleAlert,
  Workflow,
} from "lucide-react";

export type Place = Readonly<{ to: string; name: string; icon: LucideIcon; words?: string }>;

export const places: readonly Readonly<{ name: string; items: readonly Place[] }>[] = [
  {
    name: "Observe",
    items: [
      { to: "/", name: "Home", icon: House, words: "overview health failing late" },
      { to: "/runs", name: "Runs", icon: Activity, words: "timeline retry cancel" },
      { to: "/alerts", name: "Alerts", icon: TriangleAlert, words: "rules channels notices" },
    ],
  },
  {
    name: "Build",
    items: [
      { to: "/flows", name: "Flows", icon: Workflow, words: "tasks graph" },
      { to: "/deployments", name: "Deployments", icon: Rocket, words: "run parameters" },
      { to: "/schedules", name: "Schedules", icon: CalendarClock, words: "cron pause resume backfill" },
    ],
  },
  {
    name: "Ingest",
    items: [
      { to: "/sources", name: "Sources", icon: Download, words: "streams endpoints tenants cursor" },
      { to: "/files", name: "Landed files", icon: FileStack, words: "packages landing" },
      { to: "/loads", name: "Loads", icon: Database, words: "warehouse rejects schema" },
    ],
  },
  {
    name: "Data",
    items: [
      { to: "/datasets", name: "Datasets", icon: Table2, words: "table chart versions quality" },
      { to: "/sql", name: "SQL", icon: SquareTerminal, words: "query duckdb" },
      { to: "/reference", name: "API", icon: BookOpen, words: "openapi reference" },
    ],
  },
  {
    name: "Configure",
    items: [
      { to: "/connections", name: "Connections", icon: Plug, words: "test warehouse landing" },
      { to: "/secrets", name: "Secrets", icon: KeyRound, words: "keys passwords" },
      { to: "/settings", name: "Settings", icon: Settings, words: "theme density time zone dark" },
      { to: "/audit", name: "Audit", icon: History, words: "who changed what" },
    ],
  },
];
