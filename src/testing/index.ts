export type {
  Lab,
  LabAccount,
  LabAddress,
  LabClusterConfig,
  LabOptions,
  LabServer,
  LabVendor,
} from './lab.ts';
export { LabError } from './lab-error.ts';
export type {
  Failover,
  LabFault,
  MasterName,
  MoveVip,
  OldConnections,
  ProcessName,
  ServerName,
} from './lab-fault.ts';
export { startLab } from './start-lab.ts';
