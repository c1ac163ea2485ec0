# The engine without the tray app, for Windows machines that nobody sits at: run as administrator.
#
#   .\install-service.ps1 -Server https://video.example.com -EnrolCode ofe_…
#
# A task of the scheduler that starts with the machine, under LOCAL SERVICE: the engine needs no service control manager, is
# started again when it ends, and leaves with the machine.
param(
    [Parameter(Mandatory = $true)] [string] $Server,
    [Parameter(Mandatory = $true)] [string] $EnrolCode,
    [string] $Agent = "$env:ProgramFiles\Offpeak\offpeak-agent.exe",
    [string] $StateFolder = "$env:ProgramData\Offpeak"
)
$ErrorActionPreference = 'Stop'

New-Item -ItemType Directory -Force -Path $StateFolder | Out-Null
# The token in it is for the engine's eyes only.
icacls $StateFolder /inheritance:r /grant:r 'SYSTEM:(OI)(CI)F' 'Administrators:(OI)(CI)F' 'LOCAL SERVICE:(OI)(CI)M' | Out-Null

& $Agent enrol --server $Server --enrol-code $EnrolCode --state-dir $StateFolder
if ($LASTEXITCODE -ne 0) { throw "This machine could not be enrolled with $Server." }

$action = New-ScheduledTaskAction -Execute $Agent -Argument "run --server $Server --state-dir `"$StateFolder`""
$trigger = New-ScheduledTaskTrigger -AtStartup
$principal = New-ScheduledTaskPrincipal -UserId 'LOCAL SERVICE' -LogonType ServiceAccount
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `
    -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -Priority 7
Register-ScheduledTask -TaskName 'Offpeak engine' -Action $action -Trigger $trigger -Principal $principal -Settings $settings -Force | Out-Null
Start-ScheduledTask -TaskName 'Offpeak engine'
Write-Output 'The engine runs, and will start with this machine. Get-ScheduledTask "Offpeak engine" says how it is.'
