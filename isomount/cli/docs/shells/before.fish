function _isomount_options
  set -l before (string match -r '.*,' -- (commandline -ct))
  for each in @OPTIONS@
    echo "$before$each"
  end
end

function _isomount_mounted
  findmnt -nlo TARGET -t fuse.isomount
  __fish_complete_path (commandline -ct)
end
