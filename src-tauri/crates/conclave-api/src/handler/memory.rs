//! What is remembered for a client, written to a file and taken in from one.

use conclave_engine::memory_file::{self, Complaint, Fault, ImportError, MemoryFileError};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{MemoryComplaint, MemoryExported, MemoryFault, MemoryFile, MemoryImported};

pub(crate) async fn export_memory(api: &Api, request: MemoryFile) -> Result<MemoryExported, ApiError> {
    let lines = memory_file::export(api.cx(), &request.client, request.path.as_ref()).await?;
    Ok(MemoryExported { path: request.path, lines: lines as u64 })
}

pub(crate) async fn import_memory(api: &Api, request: MemoryFile) -> Result<MemoryImported, ApiError> {
    match memory_file::import(api.cx(), &request.client, request.path.as_ref()).await {
        Ok(added) => Ok(MemoryImported {
            entities: added.entities as u64,
            observations: added.observations as u64,
            relations: added.relations as u64,
            complaints: Vec::new(),
        }),
        Err(MemoryFileError::Import(ImportError::Lines(complaints))) => {
            let complaints = complaints.iter().map(complaint).collect();
            Ok(MemoryImported { complaints, ..MemoryImported::default() })
        }
        Err(error) => Err(error.into()),
    }
}

fn complaint(complaint: &Complaint) -> MemoryComplaint {
    let fault = match complaint.fault {
        Fault::NotJson(_) => MemoryFault::NotJson,
        Fault::NotMemory => MemoryFault::NotMemory,
        Fault::Unfit(_) | Fault::Rest(_) => MemoryFault::Unfit,
        Fault::Secret(_) => MemoryFault::Secret,
    };
    MemoryComplaint { line: complaint.line as u64, fault, why: complaint.fault.to_string() }
}

impl From<MemoryFileError> for ApiError {
    fn from(error: MemoryFileError) -> Self {
        let words = error.to_string();
        match error {
            MemoryFileError::NoClient(_) => {
                Self::new(ErrorCode::NotFound, words).with_hint("`clients` in the settings names them")
            }
            MemoryFileError::Off(_) => {
                Self::new(ErrorCode::BadRequest, words).with_hint("change that in the settings to have it remembered")
            }
            MemoryFileError::Import(ImportError::Lines(_)) => {
                Self::new(ErrorCode::BadRequest, words).with_hint("correct them, and import again")
            }
            MemoryFileError::Import(ImportError::Store(error)) | MemoryFileError::Store(error) => error.into(),
            MemoryFileError::Named(error) => error.into(),
        }
    }
}
