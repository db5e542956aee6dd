//! Reports as bytes, for a runner in another process.

use super::LaneDeath;
use super::report::{ExcuseEntry, Failure, ModeCounts, ScriptReport, SkipEntry, Unreadable};
use crate::case::bytes::{DecodeError, Reader, Writer};
use crate::coverage::Coverage;

fn write_list<T>(list: &[T], writer: &mut Writer, mut write: impl FnMut(&T, &mut Writer)) {
    writer.count(list.len());
    list.iter().for_each(|item| write(item, writer));
}

fn text(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    Ok(reader.string()?.to_string())
}

impl ScriptReport {
    /// Appends the report.
    pub(crate) fn write(&self, writer: &mut Writer) {
        write_list(&self.modes, writer, |(mode, counts), writer| {
            writer.string(mode);
            let ModeCounts { passed, failed, skipped, excused, steps, steps_failed } = *counts;
            let counts = [passed, failed, skipped, excused, steps, steps_failed];
            counts.into_iter().for_each(|count| writer.u64(count));
        });
        writer.u64(self.files);
        write_list(&self.failures, writer, |failure, writer| {
            writer.string(&failure.file);
            writer.u32(failure.line);
            writer.string(&failure.mode);
            writer.string(&failure.message);
        });
        write_list(&self.skips, writer, |skip, writer| {
            writer.string(&skip.file);
            writer.u32(skip.line);
            writer.u64(skip.count);
            write_list(&skip.modes, writer, |mode, writer| writer.string(mode));
            writer.string(&skip.reason);
        });
        write_list(&self.excuses, writer, |excuse, writer| {
            writer.string(&excuse.file);
            writer.u32(excuse.line);
            write_list(&excuse.modes, writer, |mode, writer| writer.string(mode));
            writer.string(&excuse.reason);
        });
        write_list(&self.unreadable, writer, Unreadable::write);
        self.coverage.write(writer);
    }

    /// Reads what [`ScriptReport::write`] appended.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<ScriptReport, DecodeError> {
        let modes = reader.list(52, |reader| {
            let mode = text(reader)?;
            let (passed, failed) = (reader.u64()?, reader.u64()?);
            let (skipped, excused) = (reader.u64()?, reader.u64()?);
            let (steps, steps_failed) = (reader.u64()?, reader.u64()?);
            Ok((mode, ModeCounts { passed, failed, skipped, excused, steps, steps_failed }))
        })?;
        let files = reader.u64()?;
        let failures = reader.list(16, |reader| {
            let (file, line) = (text(reader)?, reader.u32()?);
            Ok(Failure { file, line, mode: text(reader)?, message: text(reader)? })
        })?;
        let skips = reader.list(24, |reader| {
            let (file, line) = (text(reader)?, reader.u32()?);
            let (count, modes) = (reader.u64()?, reader.list(4, text)?);
            Ok(SkipEntry { file, line, count, modes, reason: text(reader)? })
        })?;
        let excuses = reader.list(16, |reader| {
            let (file, line) = (text(reader)?, reader.u32()?);
            Ok(ExcuseEntry { file, line, modes: reader.list(4, text)?, reason: text(reader)? })
        })?;
        let unreadable = reader.list(16, Unreadable::read)?;
        let coverage = Coverage::read(reader)?;
        // Outside engines are asked by the parent, which has the clock too.
        let rest = ScriptReport::default();
        Ok(ScriptReport { modes, files, failures, skips, excuses, unreadable, coverage, ..rest })
    }
}

impl Unreadable {
    /// Appends the place and what is wrong there.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.string(&self.file);
        writer.u32(self.line);
        writer.u32(self.column);
        writer.string(&self.message);
    }

    /// Reads what [`Unreadable::write`] appended.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Unreadable, DecodeError> {
        let (file, line, column) = (text(reader)?, reader.u32()?, reader.u32()?);
        Ok(Unreadable { file, line, column, message: text(reader)? })
    }
}

impl LaneDeath {
    /// Appends the death.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.option_u64(self.lane.map(u64::from));
        writer.u32(self.directive);
        writer.string(&self.message);
    }

    /// Reads what [`LaneDeath::write`] appended.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<LaneDeath, DecodeError> {
        let at = reader.offset();
        let lane = reader.option_u64()?.map(u32::try_from).transpose();
        let lane = lane.map_err(|_| DecodeError::new(at, "the number of a lane"))?;
        Ok(LaneDeath { lane, directive: reader.u32()?, message: text(reader)? })
    }
}
